#include "daemon/worker/write_question.h"

#include <cassert>
#include <string_view>
#include <utility>
#include <variant>

#include "proto/sasl/credentials.h"

namespace hooksmtpd::worker {
namespace {

// One for each kind of question.
struct Writer {
  std::string& line;
  hook::RequestId id;
  const smtp::Session& session;
  const hook::SessionFacts& facts;
  const std::optional<mail::ReversePath>& rewritten;

  hook::Written operator()(const smtp::question::Host&) const {
    return append_request(line, id, hook::ValidateHost{.session = facts});
  }

  hook::Written operator()(const smtp::question::Starttls&) const {
    return append_request(line, id, hook::Starttls{.session = facts});
  }

  hook::Written operator()(const smtp::question::Helo& helo) const {
    return append_request(line, id, hook::Helo{.session = facts, .verb = helo.verb, .name = helo.name});
  }

  hook::Written operator()(const smtp::question::Auth& auth) const {
    const sasl::Credentials& claimed = auth.credentials;
    const auto given = [](const std::string& secret) {
      return secret.empty() ? std::nullopt : std::optional<std::string_view>(secret);
    };
    const bool has_password =
        claimed.mechanism == sasl::Mechanism::kPlain || claimed.mechanism == sasl::Mechanism::kLogin;
    return append_request(
        line, id,
        hook::Auth{.session = facts,
                   .mechanism = to_string(claimed.mechanism),
                   .authorization_id = claimed.authorization_id,
                   .user = claimed.user,
                   .password = has_password ? std::optional<std::string_view>(claimed.password) : std::nullopt,
                   .token = given(claimed.token),
                   .challenge = given(claimed.challenge),
                   .digest = given(claimed.digest)});
  }

  hook::Written operator()(const smtp::question::Sender& sender) const {
    return append_request(line, id,
                          hook::ValidateSender{.session = facts,
                                               .transaction = session.transaction_id(),
                                               .from = rewritten ? *rewritten : sender.reverse_path,
                                               .params = sender.params});
  }

  hook::Written operator()(const smtp::question::Recipient& recipient) const {
    const smtp::Transaction& transaction = *session.transaction();
    const mail::Recipient to{.mailbox = rewritten ? **rewritten : recipient.mailbox, .params = recipient.params};
    return append_request(line, id,
                          hook::ValidateRecipient{.session = facts,
                                                  .transaction = transaction.id,
                                                  .from = transaction.envelope.reverse_path,
                                                  .accepted = transaction.envelope.recipients.size(),
                                                  .to = to});
  }

  hook::Written operator()(const smtp::question::Data&) const {
    const smtp::Transaction& transaction = *session.transaction();
    return append_request(
        line, id, hook::Data{.session = facts, .transaction = transaction.id, .envelope = transaction.envelope});
  }

  hook::Written operator()(const smtp::question::Command& command) const {
    return append_request(line, id, hook::Command{.session = facts, .line = command.line});
  }

  hook::Written operator()(const smtp::question::Message&) const {
    assert(false && "a message is written with its delivery");
    std::unreachable();
  }
};

}  // namespace

hook::Written write_question(std::string& line, hook::RequestId id, const smtp::Question& question,
                             const smtp::Session& session, const hook::SessionFacts& facts,
                             const std::optional<mail::ReversePath>& rewritten) {
  return std::visit(Writer{line, id, session, facts, rewritten}, question);
}

}  // namespace hooksmtpd::worker
