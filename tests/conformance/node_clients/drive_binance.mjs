// binance by tiagosiebler: REST, WebSocket API, streams, user data.

import { MainClient, WebsocketAPIClient, WebsocketClient } from 'binance';

import { Inbox, KEY, Report, SECRET, SYMBOL, methodsOf, orderRun, recorded, until } from './kit.mjs';

const ONLY = { symbol: SYMBOL };
const CANDLES = { ...ONLY, interval: '1m', limit: 2 };
const REST = {
  account: 'getAccountInformation', test: 'testNewOrder', new: 'submitNewOrder', get: 'getOrder', cancel: 'cancelOrder',
  cancel_all: 'cancelAllSymbolOrders', open: 'getOpenOrders', replace: 'replaceOrder', oco: 'submitNewOrderList',
  oto: 'submitNewOrderListOTO', otoco: 'submitNewOrderListOTOCO', opo: 'submitNewOrderListOPO',
  opoco: 'submitNewOrderListOPOCO', list_get: 'getOCO', list_open: 'getAllOpenOCO', list_cancel: 'cancelOCO',
  list_all: 'getAllOCO', prevented: 'getPreventedMatches', allocations: 'getAllocations', rates: 'getCommissionRates',
  count: 'getOrderRateLimit', orders: 'getAllOrders', trades: 'getAccountTradeList', sor: 'submitNewSOROrder',
  sor_test: 'testNewSOROrder',
};
const WEBSOCKET = {
  account: 'getSpotAccountInformation', test: 'testSpotOrder', new: 'submitNewSpotOrder', get: 'getSpotOrderStatus',
  cancel: 'cancelSpotOrder', cancel_all: 'cancelAllSpotOpenOrders', open: 'getSpotOpenOrders',
  replace: 'cancelReplaceSpotOrder', amend: 'amendSpotOrderKeepPriority', oco: 'placeSpotOCOOrderList',
  oto: 'placeSpotOTOOrderList', otoco: 'placeSpotOTOCOOrderList', opo: 'placeSpotOPOOrderList',
  opoco: 'placeSpotOPOCOOrderList', list_get: 'getSpotOrderListStatus', list_open: 'getSpotOpenOrderLists',
  list_cancel: 'cancelSpotOrderList', list_all: 'getSpotAllOrderLists', prevented: 'getSpotPreventedMatches',
  allocations: 'getSpotAllocations', rates: 'getSpotAccountCommission', count: 'getSpotOrderRateLimits',
  orders: 'getSpotAllOrders', trades: 'getSpotMyTrades', sor: 'placeSpotSOROrder', sor_test: 'testSpotSOROrder',
};
const MARKET_REST = {
  testConnectivity: {}, getExchangeInfo: ONLY, getOrderBook: ONLY, getRecentTrades: ONLY,
  getHistoricalTrades: ONLY, getHistoricalBlockTrades: { ...ONLY, fromId: 1 }, getAggregateTrades: ONLY,
  getKlines: CANDLES, getUIKlines: CANDLES, getAvgPrice: ONLY, getExecutionRules: ONLY, getReferencePrice: ONLY,
  getReferencePriceCalculation: ONLY, get24hrChangeStatistics: ONLY, getTradingDayTicker: ONLY,
  getSymbolPriceTicker: ONLY, getSymbolOrderBookTicker: ONLY, getRollingWindowTicker: ONLY,
};
const MARKET_WEBSOCKET = {
  testSpotConnectivity: undefined, getSpotServerTime: undefined, getSpotExchangeInfo: ONLY, getSpotOrderBook: ONLY,
  getSpotRecentTrades: ONLY, getSpotHistoricalTrades: ONLY, getSpotHistoricalBlockTrades: { ...ONLY, fromId: 1 },
  getSpotAggregateTrades: ONLY, getSpotKlines: CANDLES, getSpotUIKlines: CANDLES, getSpotAveragePrice: ONLY,
  getSpotExecutionRules: ONLY, getSpotReferencePrice: ONLY, getSpotReferencePriceCalculation: ONLY,
  getSpot24hrTicker: ONLY, getSpotTradingDayTicker: ONLY, getSpotTicker: ONLY, getSpotSymbolPriceTicker: ONLY,
  getSpotSymbolOrderBookTicker: ONLY,
};
const STREAMS = ['btcusdt@trade', 'btcusdt@depth@100ms', 'btcusdt@depth5@100ms', 'btcusdt@kline_1m', '!miniTicker@arr'];

const host = process.argv[2];
const report = new Report();
const own = { api_key: KEY, api_secret: SECRET };
const called = { rest: new Set(), ws: new Set() };
const client = new MainClient({ ...own, baseUrl: `http://${host}`, disableTimeSync: true });
const rest = recorded(client, called.rest);
const over = (names, ask) => Object.fromEntries(Object.entries(names).map(([name, call]) => [name, ask(call)]));
// A program has to put the time into requests of the WebSocket API by itself.
const stamped = (params) => ({ ...params, timestamp: Date.now() });
const copy = (params) => (params === undefined ? undefined : { ...params });

await orderRun(report, 'rest', over(REST, (call) => (params) => rest[call](copy(params))));
for (const [name, params] of Object.entries(MARKET_REST)) {
  await report.step(`market.rest.${name}`, () => rest[name](copy(params)));
}

const api = new WebsocketAPIClient({ ...own, wsUrl: `ws://${host}`, attachEventListeners: false });
const ws = recorded(api, called.ws);
const user = new Inbox();
api.getWSClient().on('message', user.put);
// What is refused is told here once more.
api.getWSClient().on('exception', (told) => told.isWSAPIResponse || report.warnings.push(JSON.stringify(told)));
await report.step('user', () => ws.subscribeUserDataStream('mainWSAPI'));
await orderRun(report, 'ws', over(WEBSOCKET, (call) => async (params) => (await ws[call](stamped(params))).result));
for (const [name, params] of Object.entries(MARKET_WEBSOCKET)) {
  await report.step(`market.ws.${name}`, async () => (await ws[name](copy(params))).result);
}
const market = { ...ONLY, side: 'BUY', type: 'MARKET', quantity: 0.001, newOrderRespType: 'FULL' };
const last = (await ws.submitNewSpotOrder(stamped(market))).result;
const heard = (event) => event.event ?? event;
await report.step('user.last', () => user.wait((event) => heard(event).i === last.orderId && heard(event).x === 'TRADE'));
report.steps.events = user.messages.map(heard).filter((event) => event.e !== undefined);
report.steps.told = await rest.getAllOrders({ ...ONLY, limit: 1_000 });

const streams = new WebsocketClient({ wsUrl: `ws://${host}` });
const inbox = new Inbox();
streams.on('message', inbox.put);
streams.on('exception', (problem) => report.warnings.push(JSON.stringify(problem)));
streams.subscribe(STREAMS, 'main');
const traded = (event) => (event.data ?? event).e === 'trade';
await report.step('stream.traded', () => until(inbox, traded, () => ws.submitNewSpotOrder(stamped(market))));
report.steps.offered = { rest: methodsOf(client), ws: methodsOf(api) };
report.steps.called = Object.fromEntries(Object.entries(called).map(([name, names]) => [name, [...names].sort()]));
report.print();
