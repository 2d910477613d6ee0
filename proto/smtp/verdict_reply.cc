#include "proto/smtp/verdict_reply.h"

#include <fmt/format.h>

namespace hooksmtpd::smtp {

std::optional<Reply> own_reply(const mail::Verdict& verdict) {
  const bool defer = verdict.action == mail::Action::kDefer;
  if (verdict.code == 0 && !defer) return std::nullopt;
  const int code = verdict.code != 0 ? verdict.code : 451;
  const std::string_view enhanced = !verdict.enhanced.empty() ? std::string_view(verdict.enhanced)
                                    : verdict.code == 0       ? "4.3.0"
                                    : code / 100 == 4         ? "4.0.0"
                                                              : "5.0.0";
  if (!verdict.text.empty()) return Reply::make(code, enhanced, verdict.text);
  return Reply::make(code, enhanced,
                     defer ? "Requested action aborted: try again later" : "Requested action not taken");
}

std::string with_text(std::string_view wording, const mail::Verdict& verdict) {
  if (verdict.text.empty() || verdict.text.front().empty()) return std::string(wording);
  return fmt::format("{}: {}", wording, verdict.text.front());
}

}  // namespace hooksmtpd::smtp
