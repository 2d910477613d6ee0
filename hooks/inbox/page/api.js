// Requests to /api/v2. Paths are relative, so that the page also works below a path of a reverse proxy.

export const BASE = new URL('api/v2/', document.baseURI);
let token = document.querySelector('meta[name=token]').content;

// What the server refused, with its reason (RFC 9457), or that it could not be reached.
class Problem extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(new URL(path, BASE), options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, 'The inbox does not answer. Is hooksmtpd running?');
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Problem(response.status, problem.detail || problem.title || `The inbox answered ${response.status}`);
}

function address(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  const query = new URLSearchParams(given).toString();
  return query ? `${path}?${query}` : path;
}

// For href and src.
export const url = (path, parameters) => new URL(address(path, parameters), BASE).href;

// Throws why it will not be answered: a download that fails shows nobody its reason.
export async function check(path, parameters) {
  await (await ask(address(path, parameters))).body.cancel();
}

export const get = async (path, parameters, signal) => (await ask(address(path, parameters), { signal })).json();

async function post(path, body) {
  const send = () =>
    ask(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Inbox-Token': token },
      body: JSON.stringify(body),
    });
  const response = await send().catch(async (problem) => {
    if (problem.status !== 403 || !(await newToken())) throw problem;
    return send();
  });
  return response.json().catch(() => ({}));
}

// The server was started anew since this page came from it.
async function newToken() {
  const index = await (await fetch(document.baseURI)).text();
  const found = /<meta name="token" content="([\w-]+)">/.exec(index)?.[1];
  const is = found !== undefined && found !== token;
  if (is) token = found;
  return is;
}

export const PAGE = 100; // as index.html asks for it ahead

export const list = ({ query, mailbox }, cursor, signal) =>
  get('messages', { limit: PAGE, query, mailbox, cursor }, signal);
export const message = (id, signal) => get(`messages/${encodeURIComponent(id)}`, {}, signal);
export const partUrl = (id, part, how = {}) => url(`messages/${encodeURIComponent(id)}/parts/${part}`, how);

// `which` is {ids} or {query}; for a mailbox as a whole also {mailbox}.
export const act = (which, action, tag) =>
  post('messages/actions', { ...which, action, ...(tag === undefined ? {} : { tag }) });
export const release = (id, to) => post(`messages/${encodeURIComponent(id)}/release`, { to });

// The beginning of a text that may be large, and whether there is more.
export async function beginning(path, limit, signal) {
  const response = await ask(path, { signal });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), cut: false };
    text += decoder.decode(value, { stream: true });
    if (text.length > limit) {
      reader.cancel();
      return { text: text.slice(0, limit), cut: true };
    }
  }
}
