// The types of hooksmtpd.js, where the manual is. Which keys come with which event is in PROTOCOL.md.

import type { Readable } from 'stream';

export interface Endpoint {
  /** "" for a client of a unix socket. */
  ip: string;
  port: number;
}

export interface Tls {
  version: string;
  cipher: string;
  bits: number;
  /** What the client called the server. */
  server_name: string;
  /** These three are about the client's certificate, if it showed one. */
  client_subject: string;
  client_fingerprint: string;
  client_verified: boolean;
}

export type Params = Record<string, string | true>;
export type Notes = Record<string, unknown>;

/** What every request has but hello. */
export interface Facts<Name extends string> {
  v: 1;
  id: number;
  event: Name;
  session: string;
  listener: string;
  client: Endpoint;
  server: Endpoint;
  helo: string;
  /** "ESMTPS", ... */
  protocol: string;
  tls?: Tls;
  /** Who has authenticated. */
  user?: string;
  /** What this hook has noted in this session. */
  notes?: Notes;
}

export interface Address {
  local: string;
  domain: string;
  /** As the DNS spells `domain`, if that is not ASCII: the one to compare. */
  domain_ascii?: string;
  address: string;
}

export interface Hello {
  v: 1;
  id: number;
  event: 'hello';
  minor: number;
  daemon: string;
  hook: string;
  instance: number;
  isolation: 'full' | 'namespaced' | 'filtered' | 'none';
  events: string[];
  timeout_ms: Record<string, number>;
  max_line: number;
  options: Record<string, any>;
}

export interface ValidateHost extends Facts<'validate_host'> {
  address: string;
}

export interface Helo extends Facts<'helo'> {
  verb: string;
  name: string;
}

export interface Starttls extends Omit<Facts<'starttls'>, 'tls'> {
  tls: Tls;
}

/** Never log the proofs; compare them with crypto.timingSafeEqual. */
export interface Auth extends Omit<Facts<'auth'>, 'user'> {
  mechanism: 'PLAIN' | 'LOGIN' | 'XOAUTH2' | 'OAUTHBEARER' | 'CRAM-MD5';
  authorization_id: string;
  password?: string;
  token?: string;
  challenge?: string;
  digest?: string;
  user: string;
}

export interface ValidateSender extends Facts<'validate_sender'>, Address {
  transaction: string;
  params: Params;
}

export interface ValidateRecipient extends Facts<'validate_recipient'>, Address {
  transaction: string;
  from: string;
  /** Recipients before this one. */
  accepted: number;
  params: Params;
}

export interface Data extends Facts<'data'> {
  transaction: string;
  from: string;
  params: Params;
  to: string[];
  to_params?: Params[];
}

/** The message: raw octets with CRLF line ends, as a file (gone after the reply) or inline. */
export class Message {
  size: number;
  eight_bit: boolean;
  long_lines: number;
  /** How many header fields the daemon put in front, and, below those, hooks. */
  trace_headers: number;
  added_headers?: number;
  path?: string;
  data?: string;
  data_b64?: string;
  open(): Readable;
  bytes(): Promise<Buffer>;
  /** Copies them to a file: whole and on disk when the promise is fulfilled. */
  save(name: string): Promise<void>;
}

export interface Deliver extends Facts<'deliver'> {
  transaction: string;
  received_at: string;
  from: string;
  params: Params;
  to: string[];
  to_params?: Params[];
  message: Message;
}

/** A node of the parsed message. */
export class Part {
  /** [name, raw, decoded], in order; a raw value that is not UTF-8 is there once more in base64. */
  headers: [string, string, string, string?][];
  type: string;
  params: Record<string, string>;
  disposition: string | null;
  disposition_params: Record<string, string>;
  filename: string | null;
  encoding: string | null;
  content_id: string | null;
  description: string | null;
  defects: string[];
  /** Of the root: a defect is anywhere. */
  broken?: boolean;
  /** Of a multipart. */
  parts?: Part[];
  preamble?: string;
  epilogue?: string;
  /** Of a leaf: the octets of the decoded body, and the file it is in. */
  size?: number;
  path?: string;
  /** Of a text. */
  charset?: string;
  text?: string;
  /** Of a message/rfc822. */
  message?: Part;
  /** The first header field of that name, decoded. */
  header(name: string, otherwise?: string): string;
  /** This part and everything in it, in order. */
  walk(): Generator<Part>;
  /** The decoded body of a leaf. */
  open(): Readable;
}

export interface DeliverMime extends Omit<Deliver, 'event'> {
  event: 'deliver_mime';
  mime: Part;
}

export interface Command extends Facts<'command'> {
  line: string;
}

export interface Reset extends Facts<'reset'> {
  transaction: string;
  reason: string;
}

export interface Disconnect extends Facts<'disconnect'> {
  duration_ms: number;
  counts: Record<string, number>;
  dialogue?: Record<string, unknown>[];
  reason: string;
}

export interface Cancel extends Facts<'cancel'> {
  target: number;
}

/** An answer, to return or to throw. */
export class Reply {
  private constructor(fields: Record<string, unknown>);
  readonly fields: Record<string, unknown>;
}

/** undefined, null, true: accept; false: reject; a string: a word line of the protocol. */
export type Answer = Reply | boolean | string | null | undefined | void;

export interface Context {
  /** Aborted when nobody waits for the answer any more, if the hook is subscribed to `cancel`. */
  readonly signal: AbortSignal;
}

type Handler<Request, Answered = Answer> = (this: Hook, request: Request, context: Context) => Answered | Promise<Answered>;

export interface Handlers {
  hello?: Handler<Hello>;
  validate_host?: Handler<ValidateHost>;
  helo?: Handler<Helo>;
  starttls?: Handler<Starttls>;
  /** Must return true or accept() to let somebody in. */
  auth?: Handler<Auth, Reply | boolean | string>;
  validate_sender?: Handler<ValidateSender>;
  validate_recipient?: Handler<ValidateRecipient>;
  data?: Handler<Data>;
  deliver?: Handler<Deliver>;
  deliver_mime?: Handler<DeliverMime>;
  command?: Handler<Command>;
  reset?: Handler<Reset>;
  disconnect?: Handler<Disconnect>;
  cancel?: Handler<Cancel>;
}

export interface Settings {
  name?: string;
  version?: string;
  /** How many requests it takes at once, 1 to 256; 64 if not given. */
  concurrency?: number;
  body?: 'path' | 'inline';
  dialogue?: boolean;
  stores?: boolean;
  modifies?: ('sender' | 'recipient' | 'headers')[];
}

export class Hook {
  constructor(handlers: Handlers, settings?: Settings);
  /** Those of the configuration, from hello on. */
  options: Record<string, any>;
  daemon: Hello;
  /** Answers until the daemon has no more questions. */
  run(): this;
  /** What the hook would answer, for tests. */
  ask(event: keyof Handlers, keys?: Record<string, unknown>): Promise<Record<string, any>>;
}

type Text = string | string[];

export function hook(handlers: Handlers, settings?: Settings): Hook;
export function accept(with_?: { text?: Text; rewrite?: string; addHeaders?: [string, string][]; notes?: Notes; delayMs?: number }): Reply;
export function reject(text?: Text, with_?: { code?: number; enhanced?: string; notes?: Notes; delayMs?: number }): Reply;
export function defer(text?: Text, with_?: { code?: number; enhanced?: string; notes?: Notes; delayMs?: number }): Reply;
export function discard(with_?: { notes?: Notes; delayMs?: number }): Reply;
export function close(text?: Text, with_?: { enhanced?: string; abrupt?: boolean; delayMs?: number }): Reply;
/** To a message that came over LMTP: an answer for each of request.to. */
export function perRecipient(answers: Answer[]): Reply;
/** The exact octets of a text or of a list of texts. */
export function raw(object: object, key: string): Buffer | Buffer[];
export const log: Record<'error' | 'warning' | 'notice' | 'info' | 'debug', (...values: unknown[]) => void>;
export const EVENTS: string[];
