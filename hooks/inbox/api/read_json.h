// The body of a request -> JSON, and problems as exceptions on the way to the client.

#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "hooks/inbox/http/exchange.h"

namespace hooksmtpd::inbox {

class ProblemError : public std::runtime_error {
 public:
  explicit ProblemError(Problem problem) : std::runtime_error(problem.detail), problem_(std::move(problem)) {}
  const Problem& problem() const { return problem_; }

 private:
  Problem problem_;
};

[[noreturn]] inline void bad_request(std::string detail) {
  throw ProblemError({400, "Bad Request", std::move(detail)});
}
[[noreturn]] inline void not_found(std::string detail) { throw ProblemError({404, "Not Found", std::move(detail)}); }

// An object; throws ProblemError.
inline nlohmann::json read_json(const Exchange& exchange) {
  auto json = nlohmann::json::parse(exchange.body(), nullptr, false);
  if (!json.is_object()) bad_request("the body must be a JSON object");
  return json;
}

}  // namespace hooksmtpd::inbox
