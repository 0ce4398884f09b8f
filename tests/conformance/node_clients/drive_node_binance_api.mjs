// node-binance-api: REST with forms, combined streams, a depth cache, user data over the WebSocket API.

import Binance from 'node-binance-api';

import { Inbox, KEY, ORDERS, Report, SECRET, SYMBOL, orderRun, recorded, until } from './kit.mjs';

const [host, live] = process.argv.slice(2);
const report = new Report();
const called = new Set();
const client = new Binance({
  APIKEY: KEY,
  APISECRET: SECRET,
  reconnect: false,
  log: () => {},
  urls: { base: `http://${host}/api/`, stream: `ws://${live}/ws/`, combineStream: `ws://${live}/stream?streams=` },
});
client.wsApi = `ws://${host}/ws-api/v3`;
const rest = recorded(client, called);
const placed = ({ type, side, symbol, quantity, price, ...others }) =>
  rest.order(type, side, symbol, quantity, price, { ...others });

// The client writes a price into the form that is not there, and does not sign it.
delete ORDERS.kinds.peg;
await orderRun(report, 'rest', {
  account: () => rest.account(),
  test: (params) => placed({ ...params, test: true }),
  new: placed,
  get: ({ symbol, orderId }) => rest.orderStatus(symbol, orderId),
  cancel: ({ symbol, orderId }) => rest.cancel(symbol, orderId),
  cancel_all: ({ symbol }) => rest.cancelAll(symbol),
  open: ({ symbol }) => rest.openOrders(symbol),
  oco: ({ side, symbol, quantity, ...others }) => rest.ocoOrder(side, symbol, quantity, { ...others }),
  list_all: () => rest.privateSpotRequest('v3/allOrderList'),
  list_cancel: (params) => rest.privateSpotRequest('v3/orderList', { ...params }, 'DELETE'),
  orders: ({ symbol, limit }) => rest.allOrders(symbol, { limit }),
  trades: ({ symbol, limit }) => rest.trades(symbol, { limit }),
});
const market = {
  time: () => rest.time(), ping: () => rest.ping(), exchangeInfo: () => rest.exchangeInfo(), depth: () => rest.depth(SYMBOL),
  avgPrice: () => rest.avgPrice(SYMBOL), prices: () => rest.prices(SYMBOL), bookTickers: () => rest.bookTickers(SYMBOL),
  prevDay: () => rest.prevDay(SYMBOL), candlesticks: () => rest.candlesticks(SYMBOL, '1m', { limit: 2 }),
  aggTrades: () => rest.aggTrades(SYMBOL), recentTrades: () => rest.recentTrades(SYMBOL),
  historicalTrades: () => rest.historicalTrades(SYMBOL), balance: () => rest.balance(),
  tickerPrice: () => rest.tickerPrice(SYMBOL), useServerTime: () => rest.useServerTime(),
};
for (const [name, call] of Object.entries(market)) await report.step(`market.rest.${name}`, call);
await report.step('buy', () => rest.buy(SYMBOL, 0.001, 44_000));
await report.step('sell', () => rest.sell(SYMBOL, 0.001, 46_000));
await report.step('marketBuy', () => rest.marketBuy(SYMBOL, 0.001));
await report.step('marketSell', () => rest.marketSell(SYMBOL, 0.001));
await report.step('cancelAllOrders', () => rest.cancelAllOrders(SYMBOL));
const key = (await report.step('listen_key', () => rest.spotGetDataStream()))?.listenKey;
await report.step('listen_key.kept', () => rest.spotKeepDataStream(key));
await report.step('listen_key.closed', () => rest.spotCloseDataStream(key));

const streams = {
  trades: (put) => client.tradesStream([SYMBOL, 'BTCUSDC'], put),
  aggTrades: (put) => client.aggTradesStream(SYMBOL, put),
  depth: (put) => client.depthStream([SYMBOL], put),
  depthCache: (put) => client.depthCacheStream([SYMBOL], (symbol, depth) => put({ symbol, bids: Object.keys(depth.bids) })),
  candlesticks: (put) => client.candlesticksStream([SYMBOL], '1m', put),
  bookTickers: (put) => client.bookTickersStream(SYMBOL, put),
  prevDay: (put) => client.prevDayStream([SYMBOL], put),
};
const inboxes = {};
for (const [name, open] of Object.entries(streams)) {
  inboxes[name] = new Inbox();
  open(inboxes[name].put);
}
const user = new Inbox();
const subscribed = (resolve) => client.userData(user.put, user.put, user.put, () => resolve(null), user.put);
await report.step('user', () => new Promise(subscribed));
for (const name of Object.keys(streams)) await report.step(`stream.${name}`, () => inboxes[name].wait(() => true));
const told = (event) => (event.event ?? event).x === 'TRADE';
await report.step('user.trade', () => until(user, told, () => rest.marketBuy(SYMBOL, 0.001)));
report.steps.called = [...called].sort();
report.print();
