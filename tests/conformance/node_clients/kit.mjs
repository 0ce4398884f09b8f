// What the drivers share: steps that are noted one by one, one JSON object at the end, orders of every kind.
//
// A driver is started as `node drive_<client>.mjs 127.0.0.1:3100` and reads the orders (`drivers/order_run.py`) as JSON
// from its standard input.

import { readFileSync } from 'node:fs';

export const KEY = 'your_binance_api_key';
export const SECRET = 'your_binance_secret_key';
export const SYMBOL = 'BTCUSDT';
const ONLY = { symbol: SYMBOL };
const WAIT_MS = 15_000;
export const ORDERS = JSON.parse(readFileSync(0, 'utf-8'));

export class Report {
  steps = {};
  failures = {};
  warnings = [];

  constructor() {
    for (const kind of ['warn', 'error']) {
      console[kind] = (...parts) => this.warnings.push(parts.map(String).join(' '));
    }
    // Some clients tell what they do where the report must stand alone.
    console.log = console.info = console.debug = () => {};
  }

  async step(name, call) {
    try {
      const value = await within(call());
      this.steps[name] = value === undefined ? null : value;
      return value;
    } catch (problem) {
      const found = problem?.error?.code === undefined ? problem : problem.error;
      const told = found?.code === undefined ? found : { code: found.code, msg: found.msg ?? found.message };
      this.failures[name] = typeof told === 'object' && !(told instanceof Error) ? JSON.stringify(told) : String(told);
      return undefined;
    }
  }

  print() {
    process.stdout.write(JSON.stringify(this) + '\n', () => process.exit(0));
  }
}

export function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('nothing came in time')), WAIT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Messages that a client hands over one by one, and a wait for one of them.
export class Inbox {
  messages = [];
  #waiting = [];

  put = (message) => {
    this.messages.push(message);
    this.#waiting = this.#waiting.filter(({ check, resolve }) => !(check(message) && (resolve(message), true)));
  };

  wait(check) {
    const found = this.messages.find(check);
    if (found !== undefined) return Promise.resolve(found);
    return within(new Promise((resolve) => this.#waiting.push({ check, resolve })));
  }
}

// Do something again and again until a message tells of it: not every client says when it listens.
export async function until(inbox, check, act) {
  const end = Date.now() + WAIT_MS;
  let found;
  while ((found = inbox.messages.find(check)) === undefined) {
    if (Date.now() > end) throw new Error(`none of ${inbox.messages.length} messages`);
    await act();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return found;
}

// The names of all methods of a client.
export function methodsOf(object) {
  const names = new Set();
  for (let kind = object; kind && kind !== Object.prototype; kind = Object.getPrototypeOf(kind)) {
    for (const name of Object.getOwnPropertyNames(kind)) {
      if (typeof object[name] === 'function' && name !== 'constructor') names.add(name);
    }
  }
  return [...names].sort();
}

// A client that notes which of its methods are called.
export function recorded(object, called) {
  return new Proxy(object, {
    get(target, name) {
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...given) => {
        called.add(name);
        return value.apply(target, given);
      };
    },
  });
}

// The same orders over one API of a client: `api` holds what is called for each thing; what it lacks is left out.
export async function orderRun(report, over, api) {
  const { kinds, lists } = ORDERS;
  const ask = (step, name, params = {}) =>
    api[name] === undefined ? undefined : report.step(`${over}.${step}`, () => api[name](params));
  await ask('before', 'account');
  for (const [name, params] of Object.entries(kinds)) {
    const given = { ...params };
    if (given.newClientOrderId) given.newClientOrderId = `${over}-named`;
    await ask(`test.${name}`, 'test', given);
    const placed = await ask(`order.${name}`, 'new', { ...given, newOrderRespType: 'FULL' });
    if (placed === undefined) continue;
    const told = await ask(`get.${name}`, 'get', { ...ONLY, orderId: placed.orderId });
    if (told?.status === 'NEW') await ask(`cancel.${name}`, 'cancel', { ...ONLY, orderId: placed.orderId });
  }
  await ask('order.ACK', 'new', { ...kinds.limit, newOrderRespType: 'ACK' });
  await ask('order.RESULT', 'new', { ...kinds.limit, newOrderRespType: 'RESULT' });
  await ask('open', 'open', ONLY);
  await ask('clear', 'cancel_all', ONLY);
  await ask('open.none', 'open', ONLY);
  const first = await ask('change.first', 'new', kinds.limit);
  const mode = { cancelReplaceMode: 'STOP_ON_FAILURE' };
  const changed = { ...kinds.limit, price: 43_000, ...mode };
  const replaced = await ask('change.replace', 'replace', { ...changed, cancelOrderId: first?.orderId });
  const newest = replaced?.newOrderResponse?.orderId ?? first?.orderId;
  await ask('change.amend', 'amend', { ...ONLY, orderId: newest, newQty: 0.0005 });
  await ask('change.amendments', 'amendments', { ...ONLY, orderId: newest });
  await ask('change.cancel', 'cancel', { ...ONLY, orderId: newest });
  await ask('refused.cancel', 'cancel', { ...ONLY, orderId: newest });
  await ask('refused.replace', 'replace', { ...changed, cancelOrderId: newest });
  for (const [name, [kind, params]] of Object.entries(lists)) {
    const placed = await ask(`list.${name}`, kind, params);
    if (placed === undefined) continue;
    await ask(`list.${name}.get`, 'list_get', { orderListId: placed.orderListId });
    await ask(`list.${name}.open`, 'list_open');
    await ask(`list.${name}.cancel`, 'list_cancel', { ...ONLY, orderListId: placed.orderListId });
  }
  await ask('lists', 'list_all');
  await ask('sor.test', 'sor_test', kinds.limit);
  await ask('sor', 'sor', { ...kinds['limit.ioc'], newOrderRespType: 'FULL' });
  await ask('prevented', 'prevented', { ...ONLY, orderId: 1 });
  await ask('rates', 'rates', ONLY);
  await ask('filters', 'filters', ONLY);
  await ask('count', 'count');
  await ask('orders', 'orders', { ...ONLY, limit: 1_000 });
  await ask('trades', 'trades', { ...ONLY, limit: 1_000 });
  await ask('allocations', 'allocations', ONLY);
  await ask('after', 'account');
}
