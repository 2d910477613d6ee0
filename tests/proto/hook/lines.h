// Requests composed by the daemon's code, to be held against the golden lines.

#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proto/hook/request.h"
#include "tests/proto/hook/golden.h"

namespace hooksmtpd::hook {

inline constexpr SessionFacts kSession{.id = "c7f3a1",
                                       .listener = "smtp",
                                       .client = {.ip = "192.0.2.7", .port = 51514},
                                       .server = {.ip = "192.0.2.1", .port = 25},
                                       .helo = "laptop.example",
                                       .protocol = "ESMTP"};
inline const mail::Mailbox kAnn{.local_part = "ann", .domain = "example.org"};
inline const mail::Mailbox kBob{.local_part = "bob", .domain = "example.test"};
inline const mail::Parameters kParams{{"SIZE", "1834"}, {"BODY", "8BITMIME"}};

// Composes one line after the other, with the ids that the golden lines have.
class Lines {
 public:
  template <class Request>
  void add(RequestId id, const Request& request) {
    std::string line;
    const auto written = append_request(line, id, request);
    REQUIRE(written);
    CHECK(*written == line.size());
    REQUIRE(line.ends_with("\n"));
    line.pop_back();
    CHECK(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
    CHECK(nlohmann::ordered_json::parse(line).dump(-1, ' ', true) == line);
    lines_.push_back(line);
  }
  void check(std::string_view name) const {
    const auto expected = golden(name);
    for (std::size_t i = 0; i < std::min(lines_.size(), expected.size()); ++i) CHECK(lines_[i] == expected[i]);
    CHECK(lines_.size() == expected.size());
  }

 private:
  std::vector<std::string> lines_;
};

// A client that showed a certificate and has authenticated.
inline SessionFacts encrypted() {
  SessionFacts session = kSession;
  session.protocol = "ESMTPSA";
  session.tls = TlsFacts{.version = "TLSv1.3",
                         .cipher = "TLS_AES_256_GCM_SHA384",
                         .bits = 256,
                         .server_name = "mail.test",
                         .client_subject = "CN=ann,O=k\xc3\xb6ln",
                         .client_fingerprint = "3f2a",
                         .client_verified = true};
  session.user = "ann";
  return session;
}

}  // namespace hooksmtpd::hook
