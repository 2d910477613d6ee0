// OAUTHBEARER and XOAUTH2.

#include <doctest/doctest.h>

#include "tests/proto/sasl/users.h"

using namespace hooksmtpd::sasl;
using namespace std::string_literals;

namespace {

Exchange exchange(Mechanism mechanism) { return Exchange(mechanism, nullptr, std::string(kNonce), "mail.test"); }

// "user/authorization_id/token" if a judge is asked, else the step.
std::string result_of(Mechanism mechanism, std::string_view response) {
  Exchange tokens = exchange(mechanism);
  const Step step = tokens.begin(response);
  const Credentials& said = tokens.credentials();
  if (!std::holds_alternative<Judge>(step)) return shown(step);
  return said.user + '/' + said.authorization_id + '/' + said.token;
}

}  // namespace

TEST_CASE("OAUTHBEARER takes the token out (RFC 7628 §3.1)") {
  const std::string refused = R"(334 {"status":"invalid_token"}, then 535)";
  const std::pair<std::string, std::string> cases[] = {
      // §4.1
      {"n,a=user@example.com,\1host=server.example.com\1port=143\1auth=Bearer "
       "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1",
       "user@example.com/user@example.com/vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="},
      {"y,a=user,\1auth=Bearer t\1\1", "user/user/t"},
      {"n,,\1auth=Bearer t\1\1", "//t"},
      {"n,a=a=2Cb=3Dc,\1auth=bearer t\1\1", "a,b=c/a,b=c/t"},
      {"n,a=user,\1auth=Bearer t\1x-new=1\1\1", "user/user/t"},
      {"n,a=user,\1auth=Bearer \1\1", refused},
      {"n,a=user,\1auth=Basic t\1\1", refused},
      {"n,a=user,\1auth=\1\1", refused},
      {"n,a=user,\1auth=Bearer a b\1\1", refused},
      {"n,a=user,\1auth=Bearer "s + std::string(8192, 't') + "\1\1", "user/user/" + std::string(8192, 't')},
      {"n,a=user,\1auth=Bearer "s + std::string(8193, 't') + "\1\1", refused},
      {"n,a=user,\1\1", refused},  // asks what the server has to say (§4.3)
      {"p=tls-unique,a=user,\1auth=Bearer t\1\1", "501"},
      {"n,a=user,auth=Bearer t\1\1", "501"},
      {"n,a=user,\1auth=Bearer t\1", "501"},
      {"n,a=user,\1auth=Bearer t", "501"},
      {"n,a=user,\1auth=Bearer t\1\1x", "501"},
      {"n,a=user,\1auth=Bearer t\1auth=Bearer u\1\1", "501"},
      {"n,a=user,\1=x\1\1", "501"},
      {"n,a=,\1auth=Bearer t\1\1", "501"},
      {"n,b=user,\1auth=Bearer t\1\1", "501"},
      {"n,a=us=er,\1auth=Bearer t\1\1", "501"},
      {"\1", "501"},
      {"", "501"},
  };
  for (const auto& [response, result] : cases) {
    CAPTURE(response);
    CHECK(result_of(Mechanism::kOauthbearer, response) == result);
  }
}

TEST_CASE("XOAUTH2 names the user beside the token") {
  const std::string refused = R"(334 {"status":"401","schemes":"bearer"}, then 535)";
  const std::pair<std::string, std::string> cases[] = {
      {"user=someuser@example.com\1auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\1\1",
       "someuser@example.com//ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"},
      {"user=ann\1auth=Bearer \1\1", refused},
      {"user=ann\1\1", refused},
      {"auth=Bearer t\1\1", "501"},
      {"user=\1auth=Bearer t\1\1", "501"},
      {"user=ann\1auth=Bearer t\1", "501"},
      {"n,a=ann,\1auth=Bearer t\1\1", "501"},
      {"user="s + std::string(256, 'u') + "\1auth=Bearer t\1\1", "501"},
      {"", "501"},
  };
  for (const auto& [response, result] : cases) {
    CAPTURE(response);
    CHECK(result_of(Mechanism::kXoauth2, response) == result);
  }
}

TEST_CASE("a token that the judge refused is refused in the mechanism's own words first (RFC 7628 §3.2.3)") {
  CHECK(shown(refused_by_judge(Mechanism::kOauthbearer)) == R"(334 {"status":"invalid_token"}, then 535)");
  CHECK(shown(refused_by_judge(Mechanism::kXoauth2)) == R"(334 {"status":"401","schemes":"bearer"}, then 535)");
  CHECK(shown(refused_by_judge(Mechanism::kLogin)) == "535");
}

TEST_CASE("a client that did not send its token with the command is asked for it") {
  Exchange tokens = exchange(Mechanism::kXoauth2);
  CHECK(shown(tokens.begin({})) == "334 ");
  CHECK(shown(tokens.next("user=ann\1auth=Bearer t\1\1")) == "judge");
}
