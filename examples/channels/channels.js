// A client of the gateway's channel protocol. Needs Node 18 and the package ws; from Node 22 on no package at all.
//
//     node channels.js trade    # buys at the market over REST, and sees it arrive on the channels
//     node channels.js watch    # shows what comes, and connects again when the connection is lost
//
// Settings come from the environment:
//
//     GATEWAY      http://localhost:3000
//     API_KEY      the key's id, or a token of the gateway's settings    (test_token_123)
//     API_SECRET   the key's secret; for such a token the token itself   (API_KEY)
//     PRIVATE_KEY  instead of API_SECRET: PEM file of an Ed25519 key
//     TOKEN        bearer token for REST                                 (API_SECRET)
//     CHANNELS     what to subscribe to                                  (all six)
//     SYMBOL       BTCUSDT
//     QUANTITY     0.001
"use strict";
const crypto = require("node:crypto");
const { readFileSync } = require("node:fs");
const Socket = globalThis.WebSocket ?? require("ws");

const env = process.env;
const gateway = env.GATEWAY ?? "http://localhost:3000";
const apiKey = env.API_KEY ?? "test_token_123";
const apiSecret = env.API_SECRET ?? apiKey;
const token = env.TOKEN ?? apiSecret;
const channels = (env.CHANNELS ?? "market_data,orderbook,trades,orders,positions,system_events").split(",");
const symbol = env.SYMBOL ?? "BTCUSDT";
const quantity = env.QUANTITY ?? "0.001";

const POLICY_VIOLATION = 1008;
const LONGEST_PAUSE_MS = 30_000;

// HMAC-SHA256 in hexadecimal, or Ed25519 in Base64. The text ends with a newline.
function sign(timestamp) {
  const text = `GET\n/ws\n${timestamp}\n`;
  if (!env.PRIVATE_KEY) return crypto.createHmac("sha256", apiSecret).update(text).digest("hex");
  return crypto.sign(null, Buffer.from(text), readFileSync(env.PRIVATE_KEY, "utf8")).toString("base64");
}

function fail(text) {
  console.error(text);
  process.exit(1);
}

// Log in, subscribe, and hand out what comes. Pings are answered; an error ends the program.
function open(onMessage, onClose) {
  const socket = new Socket(gateway.replace("http", "ws") + "/ws");
  const send = message => socket.send(JSON.stringify(message));
  socket.onopen = () => {
    const timestamp = Date.now();
    send({ action: "authenticate", api_key: apiKey, timestamp, signature: sign(timestamp) });
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.event === "authenticated") {
      send({ action: "subscribe", channels, params: { exchange: "binance", symbols: [symbol], depth: 5 } });
    } else if (message.event === "ping") {
      send({ action: "pong", timestamp: Date.now() });
    } else if (message.event === "error") {
      fail(`${message.code} ${message.message}`);
    }
    onMessage(message);
  };
  socket.onerror = () => {}; // a close follows
  socket.onclose = ({ code, reason }) => onClose(code, reason);
}

function describe({ channel, event, symbol, message, data }) {
  switch (channel) {
    case "market_data":
    case "trades":
      return `${symbol} ${data.price}`;
    case "orderbook":
      return `${symbol} bid ${data.bids[0][0]} ask ${data.asks[0][0]}`;
    case "orders":
      return `${symbol} ${data.id} ${data.side} ${data.filled}/${data.amount} ${data.status}`;
    case "positions":
      return `${symbol} ${data.amount} at ${data.average_price}, profit ${data.unrealized_pnl}`;
    case "system_events":
      return `${event} ${data.status}`;
    default:
      return message ?? "";
  }
}

const kindOf = message => message.channel ?? message.event;
const show = message => console.log(kindOf(message), describe(message));

// One request; a body makes it a POST.
async function rest(path, body) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const reply = await fetch(gateway + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(`${answer.status} ${answer.error}`);
  return answer;
}

// Place a market order; its id as the channel names it, and the position before it.
async function buy() {
  const { positions } = await rest("/api/v1/positions");
  const before = positions.find(row => row.symbol === symbol)?.amount ?? 0;
  const order = await rest("/api/v1/order", { symbol, side: "BUY", type: "MARKET", quantity });
  return { id: String(order.orderId), before };
}

// Show the first message of every channel, all orders and positions; end when ours has arrived on both.
function trade() {
  const seen = new Set(), filled = new Set();
  let amount = 0, order = null;
  const look = () => {
    if (order && filled.has(order.id) && amount > order.before && channels.every(name => seen.has(name))) {
      console.log(`order ${order.id} is filled: from ${order.before} to ${amount}`);
      process.exit(0);
    }
  };
  open(message => {
    const kind = kindOf(message);
    if (!seen.has(kind) || kind === "orders" || kind === "positions") show(message);
    seen.add(kind);
    if (kind === "subscribed") buy().then(placed => { order = placed; look(); }, error => fail(error.message));
    if (kind === "orders" && message.data.status === "filled") filled.add(message.data.id);
    if (kind === "positions") amount = message.data.amount;
    look();
  }, (code, reason) => fail(`closed with ${code} ${reason}`));
}

// Show everything; connect again with growing pauses where the connection is lost.
function watch(pauseMs = 1000) {
  let next = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  open(message => {
    next = 1000;
    show(message);
  }, (code, reason) => {
    if (code === POLICY_VIOLATION) fail(`closed: ${reason}`);
    console.log(`closed with ${code}; connecting again`);
    setTimeout(() => watch(next), pauseMs);
  });
}

(process.argv[2] ?? "trade") === "trade" ? trade() : watch();
