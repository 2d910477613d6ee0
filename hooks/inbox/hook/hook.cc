#include "hooks/inbox/hook/hook.h"

#include <fmt/format.h>
#include <glib.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "hooks/inbox/hook/course.h"
#include "hooks/inbox/hook/octets.h"
#include "hooks/inbox/mail/digest.h"

namespace hooksmtpd::inbox {
namespace {

using Json = nlohmann::json;

// As many as the daemon lets wait for us; their commits become one.
constexpr int kConcurrency = 64;

std::string text_of(const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); }

Arrival arrival_of(const Json& request) {
  const Json& message = request.at("message");
  return {.session = request.at("session"),
          .transaction = request.at("transaction"),
          .listener = request.at("listener"),
          .user = request.value("user", ""),
          .tls = request.contains("tls"),
          .from = request.at("from"),
          .to = request.at("to"),
          .trace_headers = message.at("trace_headers")};
}

std::string endpoint(const Json& client) {
  const std::string ip = client.at("ip");
  const auto port = client.at("port").get<unsigned>();
  return fmt::format(fmt::runtime(ip.contains(':') ? "[{}]:{}" : "{}:{}"), ip, port);
}

// Mail that was written by hand often names nobody in its header: the envelope does.
void name_correspondents(Digest& digest, const Arrival& arrival) {
  if (!digest.from && !arrival.from.empty()) digest.from = Address{.name = {}, .address = arrival.from};
  if (!digest.to.empty() || !digest.cc.empty() || !digest.bcc.empty()) return;
  for (const std::string& recipient : arrival.to) digest.to.push_back({.name = {}, .address = recipient});
}

std::string from_base64(std::string text) {
  gsize size = 0;
  if (!text.empty()) g_base64_decode_inplace(text.data(), &size);
  text.resize(size);
  return text;
}

// `body`: the last member of `message`, where that was not parsed with the others. EBADMSG: there is none.
std::expected<std::shared_ptr<const Octets>, int> octets_of(const Json& message,
                                                            const std::optional<hook::Body>& body) {
  using Kind = hook::Body::Kind;
  std::optional<std::string> text;
  Kind kind{};
  if (body) {
    kind = body->kind;
    text = hook::unescaped(body->value);
  } else {
    for (const auto& [key, each] :
         {std::pair("path", Kind::kPath), {"data", Kind::kText}, {"data_b64", Kind::kBase64}}) {
      if (!message.contains(key)) continue;
      kind = each;
      text = message.at(key);
    }
  }
  if (!text) return std::unexpected(EBADMSG);
  const std::uint64_t size = message.at("size");
  if (kind == Kind::kPath) return Octets::read(*text, size);
  return Octets::keep(kind == Kind::kText ? *std::move(text) : from_base64(*std::move(text)), size);
}

}  // namespace

// What is large in a request is not parsed with it, where the line is as the daemon writes it.
struct Hook::Large {
  Large(std::string_view event, std::string_view line) : rest(line) {
    if (const auto parts = hook::find_message(event, line)) {
      rest = std::string(parts->facts) + "}}";
      body = parts->body;
    } else if (auto told = event == "disconnect" ? hook::find_dialogue(line) : std::nullopt) {
      rest = std::move(told->facts);
      dialogue = told->dialogue;
    }
  }

  std::string rest;
  std::optional<hook::Body> body{};            // of a message
  std::optional<std::string_view> dialogue{};  // of a session
};

void Hook::request(std::string_view line) {
  Json id;
  try {
    const auto beginning = hook::parse_beginning(line);
    const Large large(beginning ? beginning->event : std::string_view(), line);
    const Json request = Json::parse(large.rest);
    id = request.value("id", Json());
    answer(request, large);
  } catch (const Json::exception& error) {
    fail(id, {.full = false, .text = fmt::format("a request was not understood: {}", error.what())});
  }
}

void Hook::answer(const Json& request, const Large& large) {
  const std::string event = request.at("event");
  if (event == "hello") return hello(request);
  if (!store_) return fail(request.value("id", Json()), {.full = false, .text = "hello has to come first"});
  if (event == "deliver") return deliver(request, large.body);
  if (event == "disconnect") return disconnect(request, large.dialogue);
  if (event == "reset") return reset(request);
  accept(request.value("id", Json()));
}

void Hook::hello(const Json& request) {
  const Json id = request.value("id", Json());
  const auto not_ready = [&](const std::string& text) {
    surroundings_.reply(text_of({{"id", id}, {"ready", false}, {"text", text}}));
  };
  auto options = parse_options(request.value("options", Json::object()));
  if (!options) return not_ready(options.error());
  options_ = *std::move(options);
  const auto store = surroundings_.open(options_);
  if (!store) return not_ready(store.error());
  store_ = *store;
  surroundings_.reply(text_of({{"id", id},
                               {"ready", true},
                               {"name", "inbox"},
                               {"version", HOOKSMTPD_VERSION},
                               {"v", 1},
                               {"concurrency", kConcurrency},
                               {"stores", true},
                               {"body", "inline"},
                               {"events", {"deliver", "reset", "disconnect"}},
                               {"dialogue", true}}));
}

void Hook::deliver(const Json& request, const std::optional<hook::Body>& body) {
  const Json& facts = request.at("message");
  auto octets = octets_of(facts, body);
  if (!octets) {
    const std::string text = fmt::format("cannot read the message: {}", std::strerror(octets.error()));
    return fail(request.at("id"), {.full = false, .text = text});
  }
  NewMessage message{.id = new_id(), .received = now(), .mailbox = {}, .digest = {}, .arrival = arrival_of(request)};
  message.digest = digest_of(
      (*octets)->view(), {.utf8 = request.at("params").contains("SMTPUTF8"),
                          .of_hooks = message.arrival.trace_headers + facts.value("added_headers", std::size_t{0})});
  name_correspondents(message.digest, message.arrival);
  message.mailbox =
      message.digest.mailbox.empty() ? mailbox_of(options_.mailboxes, message.arrival) : message.digest.mailbox;
  message.tags = message.digest.tags;
  message.octets = (*octets)->view();
  message.owner = *std::move(octets);
  store_->add(std::move(message), reply_to(request.at("id")));
}

// What it decides is decided: the session waits for nobody, and is kept as soon as it can be.
void Hook::disconnect(const Json& request, std::optional<std::string_view> dialogue) {
  Session session;
  session.id = request.at("session");
  session.ended = now();
  session.began = session.ended - std::chrono::milliseconds(request.at("duration_ms").get<std::int64_t>());
  session.client = endpoint(request.at("client"));
  session.listener = request.at("listener");
  session.helo = request.at("helo");
  session.user = request.value("user", "");
  if (const auto tls = request.find("tls"); tls != request.end()) {
    session.tls = fmt::format("{} {}", tls->at("version").get<std::string>(), tls->at("cipher").get<std::string>());
  }
  session.dialogue = dialogue ? std::string(*dialogue) : text_of(request.value("dialogue", Json::array()));
  read_course(session.dialogue, request.at("reason").get<std::string>(),
              request.at("counts").at("messages_accepted").get<std::uint64_t>(), session);
  store_->add(std::move(session), reply_to(request.at("id")));
}

// A hook after us refused the message that we had accepted: its client was told so, and nobody has it.
void Hook::reset(const Json& request) {
  store_->take_back(request.value("transaction", ""), reply_to(request.at("id")));
}

void Hook::accept(const Json& id) const {
  surroundings_.reply(fmt::format(R"({{"id":{},"action":"accept"}})", text_of(id)));
}

void Hook::fail(const Json& id, const WriteFailure& failure) const {
  fmt::print(stderr, "<3>{}\n", failure.text);
  surroundings_.reply(
      text_of({{"id", id},
               {"action", "defer"},
               {"code", failure.full ? 452 : 451},
               {"enhanced", failure.full ? "4.3.1" : "4.3.0"},
               {"text", failure.full ? "the inbox has no room" : "the inbox cannot store the message"}}));
}

Store::Done Hook::reply_to(const Json& id) const {
  return [this, id](const std::optional<WriteFailure>& failure) {
    if (failure) return fail(id, *failure);
    accept(id);
  };
}

}  // namespace hooksmtpd::inbox
