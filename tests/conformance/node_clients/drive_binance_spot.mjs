// @binance/spot, Binance's own client for Node.js: REST, WebSocket API, streams, user data.

import { Spot } from '@binance/spot';

import { Inbox, KEY, Report, SECRET, SYMBOL, methodsOf, orderRun, recorded, until } from './kit.mjs';

const REST = {
  account: 'getAccount', test: 'orderTest', new: 'newOrder', get: 'getOrder', cancel: 'deleteOrder',
  cancel_all: 'deleteOpenOrders', open: 'getOpenOrders', replace: 'orderCancelReplace', amend: 'orderAmendKeepPriority',
  amendments: 'orderAmendments', oco: 'orderListOco', oto: 'orderListOto', otoco: 'orderListOtoco', opo: 'orderListOpo',
  opoco: 'orderListOpoco', list_get: 'getOrderList', list_open: 'openOrderList', list_cancel: 'deleteOrderList',
  list_all: 'allOrderList', prevented: 'myPreventedMatches', allocations: 'myAllocations', rates: 'accountCommission',
  filters: 'myFilters', count: 'rateLimitOrder', orders: 'allOrders', trades: 'myTrades', sor: 'sorOrder',
  sor_test: 'sorOrderTest',
};
const WEBSOCKET = {
  account: 'accountStatus', test: 'orderTest', new: 'orderPlace', get: 'orderStatus', cancel: 'orderCancel',
  cancel_all: 'openOrdersCancelAll', open: 'openOrdersStatus', replace: 'orderCancelReplace',
  amend: 'orderAmendKeepPriority', amendments: 'orderAmendments', oco: 'orderListPlaceOco', oto: 'orderListPlaceOto',
  otoco: 'orderListPlaceOtoco', opo: 'orderListPlaceOpo', opoco: 'orderListPlaceOpoco', list_get: 'orderListStatus',
  list_open: 'openOrderListsStatus', list_cancel: 'orderListCancel', list_all: 'allOrderLists',
  prevented: 'myPreventedMatches', allocations: 'myAllocations', rates: 'accountCommission', filters: 'myFilters',
  count: 'accountRateLimitsOrders', orders: 'allOrders', trades: 'myTrades', sor: 'sorOrderPlace', sor_test: 'sorOrderTest',
};
const ONLY = { symbol: SYMBOL };
const CANDLES = { ...ONLY, interval: '1m', limit: 2 };
const MARKET = {
  exchangeInfo: ONLY, executionRules: ONLY, ping: {}, time: {}, avgPrice: ONLY, depth: ONLY, klines: CANDLES,
  uiKlines: CANDLES, referencePrice: ONLY, referencePriceCalculation: ONLY, ticker: ONLY, ticker24hr: ONLY,
  tickerPrice: ONLY, tickerTradingDay: ONLY,
};
const MARKET_REST = {
  ...MARKET, aggTrades: ONLY, getTrades: ONLY, historicalTrades: ONLY, historicalBlockTrades: { ...ONLY, fromId: 1 },
  tickerBookTicker: ONLY,
};
const MARKET_WEBSOCKET = {
  ...MARKET, tradesAggregate: ONLY, tradesRecent: ONLY, tradesHistorical: ONLY, tickerBook: ONLY,
  blockTradesHistorical: { ...ONLY, fromId: 1 }, sessionStatus: {}, sessionSubscriptions: {},
};
const OCO = { side: 'SELL', quantity: 0.001, price: 46_000, stopPrice: 44_000 };
const STREAMS = {
  aggTrade: ONLY, allMarketRollingWindowTicker: { windowSize: '1h' }, allMiniTicker: {}, avgPrice: ONLY, blockTrade: ONLY,
  bookTicker: ONLY, diffBookDepth: ONLY, kline: { ...ONLY, interval: '1m' }, klineOffset: { ...ONLY, interval: '1m' },
  miniTicker: ONLY, partialBookDepth: { ...ONLY, levels: 5 }, referencePrice: ONLY,
  rollingWindowTicker: { ...ONLY, windowSize: '1h' }, ticker: ONLY, trade: ONLY,
};

const host = process.argv[2];
const report = new Report();
const own = { apiKey: KEY, apiSecret: SECRET };
const client = new Spot({
  configurationRestAPI: { ...own, basePath: `http://${host}` },
  configurationWebsocketAPI: { ...own, wsURL: `ws://${host}/ws-api/v3` },
  configurationWebsocketStreams: { wsURL: `ws://${host}` },
});
const called = { rest: new Set(), ws: new Set(), streams: new Set() };
const rest = recorded(client.restAPI, called.rest);
const over = (names, ask) => Object.fromEntries(Object.entries(names).map(([name, call]) => [name, ask(call)]));

await orderRun(report, 'rest', over(REST, (call) => async (params) => (await rest[call](params)).data()));
for (const [name, params] of Object.entries(MARKET_REST)) {
  await report.step(`market.rest.${name}`, async () => (await rest[name](params)).data());
}
const rested = { symbol: SYMBOL, ...OCO, stopLimitPrice: 43_990, stopLimitTimeInForce: 'GTC' };
await report.step('rest.oco.old', async () => (await rest.orderOco(rested)).data());
await report.step('rest.oco.old.clear', async () => (await rest.deleteOpenOrders(ONLY)).data());

const connection = recorded(await client.websocketAPI.connect(), called.ws);
const user = new Inbox();
const listening = await report.step('user', () => connection.userDataStreamSubscribeSignature({}));
listening.stream.on('message', user.put);
report.steps.user = listening.response ?? null;
await orderRun(report, 'ws', over(WEBSOCKET, (call) => async (params) => (await connection[call](params)).data));
for (const [name, params] of Object.entries(MARKET_WEBSOCKET)) {
  await report.step(`market.ws.${name}`, async () => (await connection[name](params)).data);
}
await report.step('ws.oco.old', async () => (await connection.orderListPlace(rested)).data);
await report.step('ws.oco.old.clear', async () => (await connection.openOrdersCancelAll(ONLY)).data);
const last = await connection.orderPlace({ ...ONLY, side: 'BUY', type: 'MARKET', quantity: 0.001 });
await report.step('user.last', () => user.wait((event) => event.i === last.data.orderId && event.x === 'TRADE'));
report.steps.events = [...user.messages];
report.steps.told = await (await rest.allOrders({ ...ONLY, limit: 1_000 })).data();

const streams = recorded(await client.websocketStreams.connect(), called.streams);
for (const [name, params] of Object.entries(STREAMS)) {
  const inbox = new Inbox();
  await report.step(`stream.${name}`, async () => {
    streams[name](params).on('message', inbox.put);
    return null;
  });
  if (name === 'trade') {
    const market = { ...ONLY, side: 'BUY', type: 'MARKET', quantity: 0.001 };
    await report.step('stream.traded', () => until(inbox, (event) => event.e === 'trade', () => connection.orderPlace(market)));
  }
}
report.steps.offered = {
  rest: methodsOf(client.restAPI), ws: methodsOf(connection), streams: methodsOf(streams),
};
report.steps.called = Object.fromEntries(Object.entries(called).map(([name, names]) => [name, [...names].sort()]));
report.print();
