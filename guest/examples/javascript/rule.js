// A rule in JavaScript: it converts units, and posts a converted reading to a room.
//
//   GET  <mount>/<value>/<from>/<to>   e.g. /convert/70/F/C        -> 2.05, text: 21.11
//   POST <mount>/<room>, JSON {"value": 70, "from": "F", "to": "C"} -> a message; 2.04, JSON {"event_id"}, or {"queued"}
//                                                                      if the message waits for its homeserver
//
// `translator` is the interface of ../../../wit/translator.wit and `outbox` that of outbox.wit, with their names in
// camelCase; an `option` is null or a value, a `variant` is { tag, val }, and a `failure` is thrown.

const GET = 1, POST = 2;
const CHANGED = 0x44, CONTENT = 0x45, BAD_REQUEST = 0x80;
const BAD_GATEWAY = 0xa2, UNAVAILABLE = 0xa3, GATEWAY_TIMEOUT = 0xa4;
const CONTENT_FORMAT = 12, TEXT = 0, JSON_FORMAT = 50;

// Each unit by way of its quantity's base unit: factor and offset.
const UNITS = {
  C: ["temperature", 1, 273.15], F: ["temperature", 5 / 9, 459.67 * 5 / 9], K: ["temperature", 1, 0],
  m: ["length", 1, 0], ft: ["length", 0.3048, 0], in: ["length", 0.0254, 0],
  Pa: ["pressure", 1, 0], hPa: ["pressure", 100, 0], psi: ["pressure", 6894.757293168, 0],
};

const literal = (val) => ({ tag: "literal", val });
const capture = (val) => ({ tag: "capture", val });

export const translator = {
  describe(settings) {
    const unknown = settings.map(([key]) => key).find((key) => !key.startsWith("room."));
    if (unknown !== undefined) throw `there is no setting ${unknown}; this rule has none but names of rooms`;
    const link = (path, method, accepts, produces, title) => ({
      path, methods: [method], accepts, produces, observable: false, attributes: [["title", title]],
    });
    return {
      links: [
        link([capture("value"), capture("from"), capture("to")], GET, [], [TEXT], "Convert a value"),
        link([capture("room")], POST, [JSON_FORMAT], [JSON_FORMAT], "Post a converted value"),
      ],
      needs: [{
        upstream: "standard", credential: "any", methods: ["PUT"],
        path: [..."_matrix client v3 rooms".split(" ").map(literal), capture("room"),
          literal("send"), literal("m.room.message"), capture("txn")],
      }],
    };
  },

  begin(settings, context, request) {
    if (context.requested != null) fail(BAD_REQUEST, "Proxy-Uri: this resource has a homeserver of its own; leave the option out");
    if (context.link === 0) {
      const [value, from, to] = context.captures;
      return reply(CONTENT, TEXT, String(convert(number(value), from, to)));
    }
    const { value, from, to } = parse(request.payload);
    if (typeof value !== "number") fail(BAD_REQUEST, "payload: field value: must be a number");
    const body = `${value} ${from} are ${convert(value, from, to)} ${to}`;
    const content = { msgtype: "m.text", body };
    const lane = room(settings, context.captures[0]);
    // The gateway appends the transaction id to the path.
    const call = {
      upstream: { tag: "standard" }, credential: "any", method: "PUT",
      path: ["_matrix", "client", "v3", "rooms", lane, "send", "m.room.message"],
      query: [], headers: [["accept", "application/json"], ["content-type", "application/json"]],
      body: bytes(JSON.stringify(content)), holdMs: 0,
    };
    const state = new Uint8Array(0);
    return { tag: "deliver", val: { lane, transaction: context.flowId, step: { request: call, state } } };
  },

  resume(settings, context, state, outcome) {
    if (outcome.tag === "err") {
      const reason = outcome.val.reason;
      if (reason === "unreachable" || reason === "busy") fail(UNAVAILABLE, "the homeserver cannot be reached", 30);
      if (reason === "timed-out") fail(GATEWAY_TIMEOUT, "the homeserver did not respond in time");
      fail(BAD_GATEWAY, `the homeserver's response: ${reason}`);
    }
    const { status, body } = outcome.val;
    if (status < 200 || status > 299) fail(status >= 400 && status <= 499 ? BAD_REQUEST : BAD_GATEWAY, `the homeserver answered ${status}`);
    const event = parseResponse(body).event_id;
    if (typeof event !== "string") fail(BAD_GATEWAY, "the homeserver's response: field event_id: no text");
    return reply(CHANGED, JSON_FORMAT, JSON.stringify({ event_id: event }));
  },
};

export const outbox = {
  accepted(settings, context, state, id) {
    return message(CHANGED, JSON_FORMAT, JSON.stringify({ queued: id }));
  },
};

function convert(value, from, to) {
  const unit = (name) => Object.hasOwn(UNITS, name) ? UNITS[name]
    : fail(BAD_REQUEST, `unit ${name}: unknown; there are ${Object.keys(UNITS).join(", ")}`);
  const [quantity, factor, offset] = unit(from);
  const [other, divisor, shift] = unit(to);
  if (quantity !== other) fail(BAD_REQUEST, `${from} is a ${quantity}, ${to} a ${other}`);
  return Math.round(((value * factor + offset - shift) / divisor) * 100) / 100;
}

function number(text) {
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : fail(BAD_REQUEST, `value ${text}: must be a decimal number`);
}

function room(settings, name) {
  if (/^![^]{1,254}$/.test(name)) return name;
  const setting = settings.find(([key]) => key === `room.${name}`);
  return setting ? setting[1] : fail(BAD_REQUEST, `room ${name}: neither an id (!…) nor a name in the gateway's settings`);
}

function parse(payload) {
  try {
    const value = JSON.parse(text(payload));
    if (value !== null && typeof value === "object") return value;
  } catch (error) {
    fail(BAD_REQUEST, `payload: ${error.message}`);
  }
  return fail(BAD_REQUEST, "payload: not an object");
}

function parseResponse(body) {
  try {
    return JSON.parse(text(body)) ?? {};
  } catch {
    return fail(BAD_GATEWAY, "the homeserver's response: no JSON");
  }
}

function reply(code, format, payload) {
  return { tag: "reply", val: { message: message(code, format, payload), session: null, watch: null } };
}

function message(code, format, payload) {
  const options = [{ number: CONTENT_FORMAT, value: new Uint8Array(format === 0 ? [] : [format]) }];
  return { code, options, payload: bytes(payload) };
}

function fail(code, diagnostic, maxAge = null) {
  throw { code, diagnostic, maxAge };
}

// The engine has no TextEncoder and no TextDecoder.
function bytes(text) {
  return Uint8Array.from(unescape(encodeURIComponent(text)), (letter) => letter.charCodeAt(0));
}

// Both a request and a homeserver's response of this rule have some hundred bytes; more would only cost time.
function text(bytes) {
  if (bytes.length > 16384) throw new Error("more than 16384 bytes");
  return decodeURIComponent(escape(String.fromCharCode(...bytes)));
}
