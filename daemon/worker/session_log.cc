#include "daemon/worker/session_log.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "daemon/sys/log.h"
#include "daemon/worker/arrival.h"

namespace hooksmtpd::worker {
namespace {

std::string shown_recipients(const mail::Envelope& envelope) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, envelope.recipients.size()); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ",", sys::quoted(to_string(envelope.recipients[i].mailbox)));
  }
  if (envelope.recipients.size() > kShown) text += fmt::format(",+{}", envelope.recipients.size() - kShown);
  return text;
}

}  // namespace

hook::EndReason to_reason(smtp::End how) {
  switch (how) {
    case smtp::End::kNot:
      return hook::EndReason::kLost;
    case smtp::End::kQuit:
      return hook::EndReason::kQuit;
    case smtp::End::kTimeout:
      return hook::EndReason::kTimeout;
    case smtp::End::kShutdown:
      return hook::EndReason::kShutdown;
    case smtp::End::kLimit:
      return hook::EndReason::kLimit;
    case smtp::End::kHook:
    case smtp::End::kDropped:
      return hook::EndReason::kHook;
  }
  return hook::EndReason::kError;
}

std::optional<hook::ResetReason> to_reason(smtp::TransactionEnd why) {
  switch (why) {
    case smtp::TransactionEnd::kDone:
    case smtp::TransactionEnd::kRefused:
      return std::nullopt;
    case smtp::TransactionEnd::kRset:
      return hook::ResetReason::kRset;
    case smtp::TransactionEnd::kHello:
      return hook::ResetReason::kHello;
    case smtp::TransactionEnd::kFailed:
      return hook::ResetReason::kFailed;
  }
  return std::nullopt;
}

std::string session_line(const smtp::Session& session, const SessionEnd& end) {
  const smtp::Session::Counts& counts = session.counts();
  std::string line = fmt::format("session id={} client={}", session.id(), shown_address(session.peer().address));
  const auto out = std::back_inserter(line);
  if (!end.proxy.empty()) fmt::format_to(out, " proxy={}", end.proxy);
  fmt::format_to(out, " helo={}", sys::quoted(session.helo()));
  if (session.tls()) fmt::format_to(out, " tls={}", session.tls()->version);
  if (!session.user().empty()) fmt::format_to(out, " user={}", sys::quoted(session.user()));
  fmt::format_to(out, " messages={} refused={} recipients={} errors={} bytes={} ms={} end={}", counts.messages_accepted,
                 counts.messages_refused, counts.recipients_accepted, counts.errors, end.bytes_received,
                 end.duration.count(), hook::to_string(end.reason));
  return line;
}

std::string message_line(const smtp::Transaction& transaction, std::string_view reply) {
  return fmt::format(FMT_COMPILE("message id={} from={} to={} size={} reply={}"), transaction.id,
                     sys::quoted(to_string(transaction.envelope.reverse_path)), shown_recipients(transaction.envelope),
                     transaction.data.size(),
                     reply.empty() ? "none" : sys::quoted(reply.substr(0, reply.find("\r\n"))));
}

}  // namespace hooksmtpd::worker
