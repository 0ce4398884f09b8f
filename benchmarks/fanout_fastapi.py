"""FastAPI as its documentation shows it: a list of clients, one ``send_text`` each."""

from __future__ import annotations

from fastapi import FastAPI, WebSocket, WebSocketDisconnect  # type: ignore[import-not-found,unused-ignore]

app = FastAPI()
clients: list[WebSocket] = []


async def endpoint(websocket: WebSocket) -> None:
    """Keep the connection until it goes."""
    await websocket.accept()
    clients.append(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        clients.remove(websocket)


app.add_api_websocket_route("/", endpoint)


async def publish(message: bytes) -> None:
    """Send to everyone."""
    text = message.decode()
    for websocket in list(clients):
        await websocket.send_text(text)
