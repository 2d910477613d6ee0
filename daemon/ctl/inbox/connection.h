// HTTP with the inbox: one question after another on one connection, by libcurl.
//
// What comes back is data of whoever listens there: bounded, and no text of it is printed as it is.

#pragma once

#include <curl/curl.h>

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/ctl/client.h"
#include "daemon/ctl/inbox/place.h"

namespace hooksmtpd::ctl::inbox {

class Connection {
 public:
  // Nothing is connected before the first question. Throws: libcurl cannot be used.
  explicit Connection(Place place);

  using Parameters = std::vector<std::pair<std::string, std::string>>;
  // Takes octets as they come; false: it cannot, and the transfer ends.
  using Sink = std::function<bool(std::string_view octets)>;

  // `path` stands behind "/api/v2/". An answer that is no success is a Failure with what its problem details say: of
  // status 1 where there is no such thing (404) or the time is up (408), of 64 where the question is wrong (400).
  std::expected<nlohmann::json, Failure> get(const std::string& path, const Parameters& parameters = {},
                                             std::chrono::seconds limit = kUsualLimit);
  std::expected<nlohmann::json, Failure> post(const std::string& path, const nlohmann::json& body);
  // Success: `sink` has got all of it. It gets nothing of an answer that is a problem.
  std::expected<void, Failure> fetch(const std::string& path, const Parameters& parameters, Sink sink);

 private:
  inline static constexpr std::chrono::seconds kUsualLimit{60};

  struct Release {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
  };
  struct Transfer;

  std::expected<nlohmann::json, Failure> ask_for_json(const std::string& path, const Parameters& parameters,
                                                      std::chrono::seconds limit);
  std::expected<void, Failure> perform(const std::string& path, const Parameters& parameters, Sink sink);
  Failure unreachable(CURLcode code, const char* text) const;
  Failure problem(long status, const std::string& body) const;
  std::string url_of(const std::string& path, const Parameters& parameters) const;

  Place place_;
  std::unique_ptr<CURL, Release> handle_;
};

}  // namespace hooksmtpd::ctl::inbox
