#include "proto/hook/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "proto/hook/printable.h"
#include "proto/hook/reply_fields.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::hook {
namespace {

using mail::Action;

constexpr std::size_t kMaxTextLines = 100;  // of one reply

struct Word {
  std::string_view name;
  Action action;
  bool takes_text;  // as a word line
};
constexpr std::array<Word, 7> kWords = {{
    {"ok", Action::kAccept, false},
    {"accept", Action::kAccept, false},
    {"reject", Action::kReject, true},
    {"defer", Action::kDefer, true},
    {"discard", Action::kDiscard, false},
    {"drop", Action::kDiscard, false},
    {"close", Action::kClose, true},
}};

const Word* find_word(std::string_view name) {
  const auto found = std::ranges::find(kWords, name, &Word::name);
  return found == kWords.end() ? nullptr : &*found;
}

std::unexpected<ReplyError> stray(std::string text) {
  return std::unexpected(ReplyError{.kind = ReplyError::kStray, .text = std::move(text)});
}

std::unexpected<ReplyError> broken(std::optional<RequestId> id, std::string text) {
  return std::unexpected(ReplyError{.kind = ReplyError::kBroken, .id = id, .text = std::move(text)});
}

// A line that is no reply: what its author may have meant.
std::unexpected<ReplyError> explain_stray(std::string_view line) {
  std::string_view hint = "messages belong on stderr";
  if (line.starts_with("{'")) {
    hint = "this looks like Python's own notation, use json.dumps()";
  } else if (line.starts_with('{')) {
    hint = "it begins like JSON but is not a JSON object on one line";
  } else if (const Word* word = find_word(line.substr(0, line.find(' '))); word != nullptr) {
    hint = "nothing may follow this word";
  }
  auto error = stray(fmt::format("stray line on stdout, skipped; {}", hint));
  error.error().quote = printable(line);
  return error;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 3463 §2: class "." subject "." detail.
bool is_enhanced(std::string_view text) {
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') return false;
  const std::size_t dot = text.find('.', 2);
  if (dot == std::string_view::npos) return false;
  const auto is_number = [](std::string_view digits) {
    return !digits.empty() && digits.size() <= 3 && std::ranges::all_of(digits, is_digit);
  };
  return is_number(text.substr(2, dot - 2)) && is_number(text.substr(dot + 1));
}

// Brings a verdict into the shape that mail::Verdict promises, or says what contradicts what.
std::optional<std::string> settle(mail::Verdict& verdict, std::optional<std::uint64_t> code) {
  if (verdict.text.size() > kMaxTextLines) return fmt::format("\"text\" has more than {} lines", kMaxTextLines);
  if (std::ranges::all_of(verdict.text, &std::string::empty)) verdict.text.clear();
  if (accepts(verdict)) {
    verdict.enhanced.clear();
    return std::nullopt;
  }
  const bool permanent = verdict.action == Action::kReject;
  const auto name = std::ranges::find(kWords, verdict.action, &Word::action)->name;
  if (verdict.action == Action::kClose) {
    if (code && *code != 421) return fmt::format("code {} contradicts close, which is always 421", *code);
  } else if (code) {
    const std::uint64_t least = permanent ? 500 : 400;
    if (*code < least || *code > least + 59) {  // RFC 5321 §4.2: the second digit is at most 5
      return fmt::format("code {} contradicts {}, which takes {} to {}", *code, name, least, least + 59);
    }
    verdict.code = static_cast<int>(*code);
  }
  if (!verdict.enhanced.empty()) {
    if (!is_enhanced(verdict.enhanced)) {
      return fmt::format("\"{}\" is no enhanced status code", printable(verdict.enhanced, 20));
    }
    if (verdict.enhanced.front() != (permanent ? '5' : '4')) {
      return fmt::format("enhanced status code {} contradicts {}", verdict.enhanced, name);
    }
  }
  return std::nullopt;
}

// Cuts the first token off, and the blanks after it.
std::string_view next_token(std::string_view& text) {
  const std::string_view token = text.substr(0, text.find(' '));
  text.remove_prefix(token.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return token;
}

std::string_view peek_token(std::string_view text) { return next_token(text); }

std::expected<Reply, ReplyError> parse_words(std::string_view line) {
  std::string_view rest = line;
  const Word* word = find_word(next_token(rest));
  if (word == nullptr || (!rest.empty() && !word->takes_text)) return explain_stray(line);
  if (!mail::is_utf8(rest)) return broken({}, "the text of the reply is not UTF-8");

  Reply reply{.verdict = {.action = word->action, .enhanced = {}, .text = {}}};
  std::optional<std::uint64_t> code;
  if (word->action != Action::kClose) {
    if (const auto token = peek_token(rest); token.size() == 3 && std::ranges::all_of(token, is_digit)) {
      code = static_cast<std::uint64_t>((token[0] - '0') * 100 + (token[1] - '0') * 10 + (token[2] - '0'));
      next_token(rest);
    }
    if (is_enhanced(peek_token(rest))) reply.verdict.enhanced = next_token(rest);
  }
  if (!rest.empty()) reply.verdict.text.emplace_back(rest);
  if (auto contradiction = settle(reply.verdict, code)) return broken({}, std::move(*contradiction));
  return reply;
}

// The members of a line that begins like an object.
std::expected<ReplyFields, ReplyError> parse_object(std::string_view line) {
  if (!mail::is_utf8(line)) return broken({}, "the reply is not UTF-8");
  auto fields = ReplyFields::parse(line);
  if (fields) return std::move(*fields);
  if (fields.error() == ObjectError::kNoObject) return explain_stray(line);
  return broken({}, fmt::format("the reply is nested deeper than {} levels", kMaxDepth));
}

// What decides, of a reply or of one recipient in it. The error says what is wrong.
std::expected<mail::Verdict, std::string> read_verdict(ReplyFields& fields, std::string_view default_action = {}) {
  mail::Verdict verdict;
  const std::string action = fields.text("action").value_or(std::string(default_action));
  const auto code = fields.number("code");
  verdict.enhanced = fields.text("enhanced").value_or("");
  verdict.text = fields.list("text");
  if (fields.error()) return std::unexpected(*fields.error());
  if (action.empty()) {
    return std::unexpected(fields.has("event") ? "it gives the request back instead of a reply"
                                               : "the reply has no \"action\"");
  }
  const Word* word = find_word(action);
  if (word == nullptr) return std::unexpected(fmt::format("unknown action \"{}\"", printable(action, 40)));
  verdict.action = word->action;
  if (auto contradiction = settle(verdict, code)) return std::unexpected(std::move(*contradiction));
  return verdict;
}

// The verdicts of a message over LMTP, one for each recipient, beside one for all that must be "accept" then.
std::optional<std::string> read_recipients(std::vector<ReplyFields> recipients, mail::Verdict& verdict) {
  if (verdict.action != Action::kAccept) return "\"recipients\" goes with the action accept only";
  if (recipients.empty()) return "\"recipients\" is empty";
  for (ReplyFields& recipient : recipients) {
    auto one = read_verdict(recipient);
    if (one && one->action == Action::kClose) one = std::unexpected("close is not for one recipient");
    if (!one) return fmt::format("recipient {}: {}", verdict.recipients.size() + 1, one.error());
    verdict.recipients.push_back(*std::move(one));
  }
  return std::nullopt;
}

std::expected<Reply, ReplyError> parse_json(std::string_view line) {
  auto parsed = parse_object(line);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  ReplyFields& fields = *parsed;

  Reply reply{.id = fields.number("id")};
  auto recipients = fields.objects("recipients");
  const auto delay = fields.number("delay_ms").value_or(0);
  fields.skip("v");
  auto verdict = read_verdict(fields, recipients ? "accept" : "");
  if (!verdict) return broken(reply.id, std::move(verdict.error()));
  reply.verdict = *std::move(verdict);
  if (recipients) {
    if (auto wrong = read_recipients(*std::move(recipients), reply.verdict)) return broken(reply.id, std::move(*wrong));
  }
  if (delay > static_cast<std::uint64_t>(kMaxDelay.count())) {
    return broken(reply.id, fmt::format("\"delay_ms\" must be at most {}", kMaxDelay.count()));
  }
  reply.delay = std::chrono::milliseconds(delay);
  reply.unknown_keys = fields.unknown();
  return reply;
}

std::expected<HelloReply, ReplyError> parse_hello_json(std::string_view line) {
  auto parsed = parse_object(line);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  ReplyFields& fields = *parsed;

  HelloReply reply{.id = fields.number("id")};
  reply.ready = fields.boolean("ready").value_or(true);
  for (const std::string& part : fields.list("text")) reply.text.append(reply.text.empty() ? "" : " ").append(part);
  const auto concurrency = fields.number("concurrency").value_or(1);
  reply.stores = fields.boolean("stores").value_or(false);
  for (const std::string& event : fields.list("decline")) {
    if (event != to_string(Event::kReset)) {
      return broken(reply.id, fmt::format("\"{}\" cannot be declined", printable(event, 40)));
    }
    reply.wants_reset = false;
  }
  reply.name = fields.text("name").value_or("");
  reply.version = fields.text("version").value_or("");
  const auto version = fields.number("v").value_or(kMajorVersion);
  for (const auto key : {"action", "code", "enhanced", "delay_ms"}) fields.skip(key);
  if (fields.error()) return broken(reply.id, *fields.error());
  if (fields.has("event")) return broken(reply.id, "it gives the request back instead of a reply");
  if (version != kMajorVersion) {
    return broken(reply.id, fmt::format("it speaks version {} of the protocol, this is {}", version, kMajorVersion));
  }
  if (concurrency == 0) return broken(reply.id, "\"concurrency\" must be at least 1");
  reply.concurrency = static_cast<std::uint32_t>(std::min<std::uint64_t>(concurrency, kMaxConcurrency));
  reply.unknown_keys = fields.unknown();
  return reply;
}

// Blanks at the end, and the CR of a hook that writes for another system.
std::string_view trim(std::string_view line) {
  const std::size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

bool begins_like_json(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '{';
}

}  // namespace

std::expected<Reply, ReplyError> parse_reply(std::string_view line) {
  if (line == "ok") return Reply();
  line = trim(line);
  return begins_like_json(line) ? parse_json(line) : parse_words(line);
}

std::expected<HelloReply, ReplyError> parse_hello_reply(std::string_view line) {
  line = trim(line);
  if (begins_like_json(line)) return parse_hello_json(line);
  auto words = parse_words(line);
  if (!words) return std::unexpected(std::move(words.error()));
  return HelloReply();
}

}  // namespace hooksmtpd::hook
