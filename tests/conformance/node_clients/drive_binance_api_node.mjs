// binance-api-node: REST, streams one by one, user data over the WebSocket API.

import create from 'binance-api-node';

import { Inbox, KEY, Report, SECRET, SYMBOL, orderRun, recorded, until } from './kit.mjs';

const ONLY = { symbol: SYMBOL };
const REST = {
  account: 'accountInfo', test: 'orderTest', new: 'order', get: 'getOrder', cancel: 'cancelOrder',
  cancel_all: 'cancelOpenOrders', open: 'openOrders', replace: 'updateOrder', list_get: 'getOrderOco',
  list_cancel: 'cancelOrderOco', list_all: 'allOrdersOCO', orders: 'allOrders', trades: 'myTrades',
};
const MARKET = {
  ping: {}, time: {}, exchangeInfo: ONLY, book: ONLY, aggTrades: ONLY, candles: ONLY, trades: ONLY, tradesHistory: ONLY,
  dailyStats: ONLY, prices: ONLY, avgPrice: ONLY, allBookTickers: {}, getInfo: {},
};

const [host, live] = process.argv.slice(2);
const report = new Report();
const called = new Set();
const client = (create.default ?? create)({
  apiKey: KEY, apiSecret: SECRET, httpBase: `http://${host}`, wsBase: `ws://${live}/ws`, wsApi: `ws://${host}/ws-api/v3`,
});
const rest = recorded(client, called);
const api = Object.fromEntries(Object.entries(REST).map(([name, call]) => [name, (params) => rest[call]({ ...params })]));
await orderRun(report, 'rest', api);
for (const [name, params] of Object.entries(MARKET)) {
  await report.step(`market.rest.${name}`, async () => rest[name](params));
}
const pair = { ...ONLY, side: 'SELL', quantity: 0.001, price: 46_000, stopPrice: 44_000, stopLimitPrice: 43_990 };
await report.step('oco', () => rest.orderOco({ ...pair, stopLimitTimeInForce: 'GTC' }));
await report.step('oco.clear', () => rest.cancelOpenOrders(ONLY));
const key = await report.step('listen_key', () => rest.getDataStream());
await report.step('listen_key.kept', () => rest.keepDataStream(key));
await report.step('listen_key.closed', () => rest.closeDataStream(key));

const streams = {
  trades: (put) => client.ws.trades([SYMBOL], put),
  aggTrades: (put) => client.ws.aggTrades([SYMBOL], put),
  depth: (put) => client.ws.depth(SYMBOL, put),
  'depth@100ms': (put) => client.ws.depth(`${SYMBOL}@100ms`, put),
  partialDepth: (put) => client.ws.partialDepth({ symbol: SYMBOL, level: 10 }, put),
  candles: (put) => client.ws.candles(SYMBOL, '1m', put),
  ticker: (put) => client.ws.ticker(SYMBOL, put),
  miniTicker: (put) => client.ws.miniTicker(SYMBOL, put),
  allMiniTickers: (put) => client.ws.allMiniTickers(put),
  bookTicker: (put) => client.ws.bookTicker(SYMBOL, put),
  customSubStream: (put) => client.ws.customSubStream('btcusdt@trade', put),
};
const inboxes = {};
for (const [name, open] of Object.entries(streams)) {
  inboxes[name] = new Inbox();
  open(inboxes[name].put);
}
const user = new Inbox();
await report.step('user', async () => {
  await client.ws.user(user.put);
  return null;
});
for (const name of Object.keys(streams)) {
  await report.step(`stream.${name}`, () => inboxes[name].wait(() => true));
}
const order = { ...ONLY, side: 'BUY', type: 'MARKET', quantity: 0.001 };
await report.step('user.trade', () => until(user, (event) => event.executionType === 'TRADE', () => rest.order(order)));
report.steps.called = [...called].sort();
report.print();
