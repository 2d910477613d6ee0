// What a request asks for, and problems as exceptions on the way to its client.

#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "hooks/inbox/api/context.h"
#include "hooks/inbox/http/exchange.h"
#include "hooks/inbox/mail/opened.h"

namespace hooksmtpd::inbox {

class ProblemError : public std::runtime_error {
 public:
  explicit ProblemError(Problem problem) : std::runtime_error(problem.detail), problem_(std::move(problem)) {}
  const Problem& problem() const { return problem_; }

 private:
  Problem problem_;
};

[[noreturn]] void bad_request(std::string detail);
[[noreturn]] void not_found(std::string detail);

// These throw ProblemError where it is not as it must be, or not there.

// The body: an object.
nlohmann::json read_json(const Exchange& exchange);
// A parameter of the query, 0 to `most`; `usual` where there is none, `most` where it is larger.
std::int64_t number(const Exchange& exchange, const char* name, std::int64_t usual, std::int64_t most);
// By id, or "latest".
Message message_of(const Context& context, const std::string& id);
Opened open(const Context& context, const std::string& id);

// "a/b/c" -> ["a","b","c"].
std::vector<std::string> words_of(const std::string& path);

// Answers that the database cannot be read, and tells the log.
void reply_broken(Context& context, Exchange& exchange, const DatabaseError& error);
// What could not be written, as a problem.
Problem problem_of(const WriteFailure& failure);

}  // namespace hooksmtpd::inbox
