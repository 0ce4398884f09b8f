"""Errors that Binance's documents name for spot and that can't occur here, with the reason."""

from __future__ import annotations

from tests.support.errors.model import Never

FIX = "Only the FIX API says this, which there is not here."
SBE = "Answers are JSON only; whoever asks for SBE gets -1155, or -1152 where the header is malformed."
NAMED = "The other text of this code, which names the parameter, is sent in every case."

_GENERAL = (
    Never(
        -1010,
        "ERROR_MSG_RECEIVED",
        "The name that the texts of the matching engine had before; they come as -2010, -2011 and -2038.",
    ),
    Never(
        -1014,
        "Unsupported order combination.",
        "Such an order reaches the matching engine here, which says the same as -2010.",
    ),
    Never(-1015, "Too many new orders.", "The other text, which names the limit, is sent in every case."),
    Never(-1034, "Too many connection attempts for account; current limit is %s per '%s'.", FIX),
    Never(-1102, "A mandatory parameter was not sent, was empty/null, or malformed.", NAMED),
    Never(
        -1103,
        "An unknown parameter was sent.",
        "An unknown parameter is told as -1104, or as -1101 where there are more than the request knows.",
    ),
    Never(
        -1104,
        "Not all sent parameters were read.",
        "The other text of this code, which counts them, is sent in every case.",
    ),
    Never(-1105, "A parameter was empty.", NAMED),
    Never(-1106, "A parameter was sent when not required.", NAMED),
    Never(
        -1112,
        "No orders on book for symbol.",
        "A market order that meets an empty book expires; one by amount is refused with -2010.",
    ),
    Never(-1114, "TimeInForce parameter sent when not required.", "Told as -1106, as of every other parameter."),
    Never(-1118, "New client order ID was empty.", "Told as -1105, as of every other parameter."),
    Never(-1119, "Original client order ID was empty.", "Told as -1105, as of every other parameter."),
    Never(
        -1127,
        "Lookup interval is too big.",
        "The other text of this code, which names the hours, is sent in every case.",
    ),
    Never(-1130, "Invalid data sent for a parameter.", NAMED),
    Never(
        -1135,
        "JSON sent for parameter '%s' is not valid",
        "The only parameters that are JSON are lists of names; "
        "one that can't be read is told as -1100 with its legal range.",
    ),
    Never(
        -1145,
        "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.",
        '`rest-api.md` shows the text as "Invalid cancelRestrictions", and that is sent.',
    ),
)

_ENGINE = (
    Never(-2010, "NEW_ORDER_REJECTED", "The texts of the matching engine are sent, never the bare name."),
    Never(-2011, "CANCEL_REJECTED", "The texts of the matching engine are sent, never the bare name."),
    Never(
        -2011,
        "Cancel order is invalid. Check origClOrdId and orderId.",
        "A cancellation without an id is refused before it reaches the matching engine, with -1102.",
    ),
    Never(-2010, "Rest API trading is not enabled.", "It is enabled, always."),
    Never(-2010, "WebSocket API trading is not enabled.", "It is enabled, always."),
    Never(-2010, "FIX API trading is not enabled.", FIX),
)

_SBE = (
    Never(-1152, "Invalid SBE message header.", SBE),
    Never(-1153, "Unsupported SBE schema ID or version specified in the `X-MBX-SBE` header.", SBE),
    Never(-1153, "Invalid SBE schema ID or version specified.", SBE),
    Never(-1161, "Unable to encode the response in SBE schema '%s'. Please use schema '%s' or higher.", SBE),
    Never(-1221, "Invalid/missing field(s) in SBE message.", SBE),
)

_FIX_TEXTS: tuple[tuple[int, str], ...] = (
    (
        -1033,
        (
            "`SenderCompId(49)` is currently in use. Concurrent use of the same SenderCompId within one account is "
            "not allowed."
        ),
    ),
    (-1035, "Please send Logout`<5>` message to close the session."),
    (-1102, "Required tag '%s' missing."),
    (-1102, "Field value was empty or malformed."),
    (-1103, "Undefined Tag."),
    (-1106, "A tag '%s' was sent when not required."),
    (-1128, "Combination of optional fields invalid. Recommendation: '%s' and '%s' must both be sent."),
    (-1128, "Fields [%s] must be sent together or omitted entirely."),
    (-1128, "Invalid `MDEntryType (269)` combination. BID and OFFER must be requested together."),
    (-1128, "Conflicting fields: ['%s'...]"),
    (-1134, "`TargetStrategy (847)` was less than 1000000."),
    (-1160, "`TimeInForce (59)` must be `GTC (1)` when `MaxFloor (111)` is used."),
    (-1169, "Invalid tag number."),
    (-1170, "Tag '%s' not defined for this message type."),
    (-1171, "Tag '%s' appears more than once."),
    (-1172, "Tag '%s' specified out of required order."),
    (-1173, "Repeating group '%s' fields out of order."),
    (-1174, "Component '%s' is incorrectly populated on '%s' order. Recommendation: '%s'"),
    (
        -1175,
        (
            "Continuation of sequence numbers to new session is currently unsupported. Sequence numbers must be reset "
            "for each new session."
        ),
    ),
    (-1176, "Logon`<A>` should only be sent once."),
    (-1177, "`CheckSum(10)` contains an incorrect value."),
    (-1177, "`BeginString (8)` is not the first tag in a message."),
    (-1177, "`MsgType (35)` is not the third tag in a message."),
    (-1177, "`BodyLength (9)` does not contain the correct byte count."),
    (-1177, "Only printable ASCII characters and SOH (Start of Header) are allowed."),
    (-1177, "Tag specified without a value."),
    (-1177, "Invalid encodingType."),
    (
        -1178,
        (
            "`SenderCompId(49)` contains an incorrect value. The SenderCompID value should not change throughout the "
            "lifetime of a session."
        ),
    ),
    (-1179, "`MsgSeqNum(34)` contains an unexpected value. Expected: '%d'."),
    (-1180, "Logon`<A>` must be the first message in the session."),
    (-1181, "Too many messages; current limit is '%d' messages per '%s'."),
    (-1182, "Conflicting fields: [%s]"),
    (-1183, "Requested operation is not allowed in DropCopy sessions."),
    (-1184, "DropCopy sessions are not supported on this server. Please reconnect to a drop copy server."),
    (
        -1185,
        (
            "Only DropCopy sessions are supported on this server. Either reconnect to order entry server or send "
            "`DropCopyFlag (9406)` field."
        ),
    ),
    (-1186, "Requested operation is not allowed in order entry sessions."),
    (-1187, "Requested operation is not allowed in market data sessions."),
    (-1188, "Incorrect NumInGroup count for repeating group '%s'."),
    (-1189, "Group '%s' contains duplicate entries."),
    (-1190, "`MDReqID (262)` contains a subscription request id that is already in use on this connection."),
    (-1190, "`MDReqID (262)` contains an unsubscription request id that does not match any active subscription."),
    (-1191, "Similar subscription is already active on this connection. Symbol='%s', active subscription id: '%s'."),
    (-1224, "Working order must include the '%s' tag."),
    (-1225, "Pending orders should not include the '%s' tag."),
)

NEVER: tuple[Never, ...] = tuple(
    sorted((*_GENERAL, *_ENGINE, *_SBE, *(Never(*told, FIX) for told in _FIX_TEXTS)), key=lambda row: -row.code)
)
