#include "proto/hook/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "proto/hook/modifications.h"
#include "proto/hook/printable.h"
#include "proto/hook/reply_fields.h"
#include "proto/hook/reply_line.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::hook {
namespace {

using mail::Action;
using reply_line::broken;

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
  if (word == nullptr) return reply_line::stray(line);
  if (!rest.empty() && !word->takes_text) return reply_line::stray(line, "nothing may follow this word");
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

// The object that a hook wants to get back, kept as JSON.
std::optional<std::string> read_notes(ReplyFields& fields, Reply& reply) {
  auto notes = fields.json("notes");
  if (!notes) return std::nullopt;
  if (*notes == "null") notes = "{}";
  if (!notes->starts_with('{')) return "\"notes\" must be an object";
  if (notes->size() > kMaxNotes) {
    return fmt::format("\"notes\" has {} octets as ASCII, more than {}", notes->size(), kMaxNotes);
  }
  reply.notes = std::move(notes);
  return std::nullopt;
}

std::optional<std::string> read_mime(ReplyFields& fields, Reply& reply) {
  auto mime = fields.json("mime");
  if (!mime || *mime == "null") return std::nullopt;
  if (!mime->starts_with('{')) return "\"mime\" must be an object";
  reply.mime = *std::move(mime);
  return std::nullopt;
}

// All of a reply but its id.
std::optional<std::string> read_reply(ReplyFields& fields, Reply& reply, Speaker speaker) {
  auto recipients = fields.objects("recipients");
  const auto delay = fields.number("delay_ms").value_or(0);
  fields.skip("v");
  auto verdict = read_verdict(fields, recipients ? "accept" : "");
  if (!verdict) return std::move(verdict.error());
  reply.verdict = *std::move(verdict);
  if (recipients) {
    if (auto wrong = read_recipients(*std::move(recipients), reply.verdict)) return wrong;
  }
  if (auto wrong = read_modifications(fields, reply.verdict)) return wrong;
  if (auto wrong = read_notes(fields, reply)) return wrong;
  if (speaker == Speaker::kMimeHook) {
    if (auto wrong = read_mime(fields, reply)) return wrong;
  }
  if (fields.error()) return *fields.error();
  if (delay > static_cast<std::uint64_t>(kMaxDelay.count())) {
    return fmt::format("\"delay_ms\" must be at most {}", kMaxDelay.count());
  }
  reply.delay = std::chrono::milliseconds(delay);
  reply.unknown_keys = fields.unknown();
  return std::nullopt;
}

std::expected<Reply, ReplyError> parse_json(std::string_view line, Speaker speaker) {
  auto fields = reply_line::parse_object(line, speaker);
  if (!fields) return std::unexpected(std::move(fields.error()));
  Reply reply{.id = fields->number("id")};
  if (auto wrong = read_reply(*fields, reply, speaker)) return broken(reply.id, std::move(*wrong));
  return reply;
}

// Nearly all replies of a hook that repeats ids look like this. Another spelling of the same goes the long way.
std::optional<RequestId> bare_accept(std::string_view line) {
  constexpr std::string_view kBefore = R"({"id":)", kBehind = R"(,"action":"accept"})";
  constexpr std::size_t kMaxDigits = 15;  // below 2^53
  if (!line.starts_with(kBefore) || !line.ends_with(kBehind)) return std::nullopt;
  if (line.size() <= kBefore.size() + kBehind.size()) return std::nullopt;
  const std::string_view digits = line.substr(kBefore.size(), line.size() - kBefore.size() - kBehind.size());
  if (digits.size() > kMaxDigits || digits.front() == '0' || !std::ranges::all_of(digits, is_digit))
    return std::nullopt;
  RequestId id = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), id);
  return id;
}

}  // namespace

std::expected<Reply, ReplyError> parse_reply(std::string_view line, Speaker speaker) {
  if (line == "ok") return Reply();
  if (const auto id = bare_accept(line)) return Reply{.id = id};
  line = reply_line::trim(line);
  return reply_line::begins_like_json(line) ? parse_json(line, speaker) : parse_words(line);
}

}  // namespace hooksmtpd::hook
