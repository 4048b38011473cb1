/** AUTH and HELLO: who the client is, and which protocol it speaks. */
import { untilNul } from "../../base/bytes.ts";
import { DEFAULT_USER } from "../../engine/client/authentication.ts";
import { validateClientWord } from "../../engine/client/client-list.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";

const WRONG_PASSWORD = new ReplyError("WRONGPASS invalid username-password pair or user is disabled.");
const NO_PASSWORD_SET = new ReplyError(
  "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
);
const PROTOCOL_NOT_AN_INTEGER = new ReplyError("ERR Protocol version is not an integer or out of range");
const UNSUPPORTED_PROTOCOL = new ReplyError("NOPROTO unsupported protocol version");
const HELLO_NEEDS_AUTHENTICATION = new ReplyError(
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
);

const FLAGS = Flag.Noscript | Flag.Loading | Flag.Stale | Flag.Fast | Flag.NoAuth | Flag.AllowBusy;

function authenticate(cx: Context, name: string, password: string): void {
  if (!cx.engine.authentication.authenticate(cx.client, name, password)) throw WRONG_PASSWORD;
}

function auth(cx: Context): void {
  if (cx.argc > 3) throw SYNTAX;
  if (cx.argc === 2) {
    if (cx.engine.authentication.defaultUser.nopass) throw NO_PASSWORD_SET;
    authenticate(cx, DEFAULT_USER, cx.text(1));
  } else {
    authenticate(cx, cx.text(1), cx.text(2));
  }
  cx.reply.ok();
}

/** What HELLO was asked for. Indexes are 0 when the option was not given. */
interface HelloOptions {
  /** 2 or 3; 0: stay. */
  protocol: number;
  userIndex: number;
  nameIndex: number;
}

function helloOptions(cx: Context): HelloOptions {
  const options: HelloOptions = { protocol: 0, userIndex: 0, nameIndex: 0 };
  if (cx.argc > 1) {
    const protocol = cx.bigInteger(1, PROTOCOL_NOT_AN_INTEGER);
    if (protocol !== 2n && protocol !== 3n) throw UNSUPPORTED_PROTOCOL;
    options.protocol = Number(protocol);
  }
  for (let i = 2; i < cx.argc; i++) {
    const more = cx.argc - 1 - i;
    if (cx.isToken(i, "auth") && more >= 2) {
      options.userIndex = i + 1;
      i += 2;
    } else if (cx.isToken(i, "setname") && more >= 1) {
      options.nameIndex = i + 1;
      validateClientWord(cx.text(i + 1), "Client names");
      i++;
    } else {
      throw new ReplyError(`ERR Syntax error in HELLO option '${untilNul(cx.text(i))}'`);
    }
  }
  return options;
}

function hello(cx: Context): void {
  const { client, engine, reply } = cx;
  const { protocol, userIndex, nameIndex } = helloOptions(cx);
  if (userIndex !== 0) authenticate(cx, cx.text(userIndex), cx.text(userIndex + 1));
  if (!client.authenticated && engine.authentication.required) throw HELLO_NEEDS_AUTHENTICATION;
  if (nameIndex !== 0) client.name = cx.text(nameIndex);
  if (protocol !== 0) client.resp = protocol;
  reply.resp3 = client.resp === 3;
  const { announced } = engine.config;
  reply.map(7);
  reply.bulkText("server");
  reply.bulkText(announced.serverName);
  reply.bulkText("version");
  reply.bulkText(announced.valkeyVersion ?? announced.redisVersion);
  reply.bulkText("proto");
  reply.integer(client.resp);
  reply.bulkText("id");
  reply.integer(client.id);
  reply.bulkText("mode");
  reply.bulkText("standalone");
  reply.bulkText("role");
  reply.bulkText((engine.replication?.primary ?? null) === null ? "master" : "replica");
  reply.bulkText("modules");
  reply.array(0);
}

/** AUTH among HELLO's options hides the two arguments behind it, also in a HELLO that is refused. */
function redactHello(cx: Context, indexes: Set<number>): void {
  for (let i = 1; i < cx.argc; i++) {
    if (cx.isToken(i, "auth")) {
      indexes.add(i + 1).add(i + 2);
      i += 2;
    } else if (cx.isToken(i, "setname")) {
      i++;
    }
  }
}

export const AUTHENTICATION_COMMANDS = [
  command({
    name: "auth",
    arity: -2,
    flags: FLAGS,
    since: "1.0.0",
    group: "connection",
    summary: "Proves with a password who the client is.",
    complexity: "O(N), N being the number of passwords that the user has",
    categories: ["connection"],
    syntax: "[username@6.0.0] password",
    history: [["6.0.0", "Takes a user name before the password."]],
    redact(cx, indexes) {
      for (let i = 1; i < cx.argc; i++) indexes.add(i);
    },
    run: auth,
  }),
  command({
    name: "hello",
    arity: -1,
    flags: FLAGS,
    since: "6.0.0",
    group: "connection",
    summary:
      "Chooses the protocol version, optionally authenticates and names the connection, and describes the server.",
    complexity: "O(1)",
    categories: ["connection"],
    syntax: "[arguments=<protover:integer [AUTH auth=<username password>] [SETNAME clientname]>]",
    history: [["6.2.0", "Works without a version, to describe the server only."]],
    redact: redactHello,
    run: hello,
  }),
];
