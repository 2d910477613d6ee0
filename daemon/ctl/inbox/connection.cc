#include "daemon/ctl/inbox/connection.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <array>
#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daemon/ctl/member.h"
#include "daemon/ctl/terminal_text.h"

namespace hooksmtpd::ctl::inbox {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxJson = 256 * 1024 * 1024;  // octets of an answer
constexpr std::size_t kMaxProblem = 64 * 1024;       // of one that is no success
constexpr long kConnectSeconds = 10;
constexpr long kSilentSeconds = 60;  // in which a download stands still
constexpr int kNotFound = 1;

template <class T>
void set(CURL* handle, CURLoption option, T value) {
  if (curl_easy_setopt(handle, option, value) != CURLE_OK) {
    throw std::runtime_error(fmt::format("libcurl: no option {}", static_cast<int>(option)));
  }
}

struct FreeText {
  void operator()(char* text) const noexcept { curl_free(text); }
};

std::string escaped(const std::string& text) {
  const std::unique_ptr<char, FreeText> out(curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())));
  if (!out) throw std::bad_alloc();
  return out.get();
}

}  // namespace

// What one answer brings.
struct Connection::Transfer {
  CURL* handle;
  Sink sink;
  std::string problem{};  // the body of an answer that is no success

  // A write callback of libcurl (CURLOPT_WRITEFUNCTION).
  static std::size_t take(char* data, std::size_t, std::size_t size, void* self) noexcept try {
    auto& transfer = *static_cast<Transfer*>(self);
    long status = 0;
    curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) return transfer.sink({data, size}) ? size : 0;
    if (transfer.problem.size() + size <= kMaxProblem) transfer.problem.append(data, size);
    return size;
  } catch (const std::exception&) {
    return 0;
  }
};

Connection::Connection(Place place) : place_(std::move(place)), handle_(curl_easy_init()) {
  if (!handle_) throw std::runtime_error("libcurl cannot be used");
  set(handle_.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle_.get(), CURLOPT_PROXY, "");  // the inbox is near: neither mail nor password take a way round
  set(handle_.get(), CURLOPT_NOSIGNAL, 1L);
  set(handle_.get(), CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(handle_.get(), CURLOPT_USERAGENT, "hooksmtpctl/" HOOKSMTPD_VERSION);
  set(handle_.get(), CURLOPT_WRITEFUNCTION, &Transfer::take);
  if (!place_.socket.empty()) set(handle_.get(), CURLOPT_UNIX_SOCKET_PATH, place_.socket.c_str());
  if (!place_.password.empty()) {
    set(handle_.get(), CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    set(handle_.get(), CURLOPT_USERNAME, "hooksmtpctl");
    set(handle_.get(), CURLOPT_PASSWORD, place_.password.c_str());
  }
}

std::string Connection::url_of(const std::string& path, const Parameters& parameters) const {
  std::string url = place_.url + "/api/v2/" + path;
  char before = '?';
  for (const auto& [name, value] : parameters) {
    url.append(1, before).append(name).append(1, '=').append(escaped(value));
    before = '&';
  }
  return url;
}

std::expected<void, Failure> Connection::perform(const std::string& path, const Parameters& parameters, Sink sink) {
  Transfer transfer{.handle = handle_.get(), .sink = std::move(sink)};
  std::array<char, CURL_ERROR_SIZE> error{};
  set(handle_.get(), CURLOPT_URL, url_of(path, parameters).c_str());
  set(handle_.get(), CURLOPT_WRITEDATA, &transfer);
  set(handle_.get(), CURLOPT_ERRORBUFFER, error.data());
  const CURLcode code = curl_easy_perform(handle_.get());
  set(handle_.get(), CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (code != CURLE_OK) return std::unexpected(unreachable(code, error.data()));
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return std::unexpected(problem(status, transfer.problem));
  return {};
}

std::expected<json, Failure> Connection::ask_for_json(const std::string& path, const Parameters& parameters,
                                                      std::chrono::seconds limit) {
  set(handle_.get(), CURLOPT_LOW_SPEED_TIME, 0L);
  set(handle_.get(), CURLOPT_TIMEOUT, static_cast<long>(limit.count()));
  std::string body;
  const auto done = perform(path, parameters, [&](std::string_view octets) {
    body += octets;
    return body.size() <= kMaxJson;
  });
  if (!done) return std::unexpected(done.error());
  json answer = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (answer.is_object()) return answer;
  return std::unexpected(
      Failure{EX_UNAVAILABLE, "protocol", fmt::format("what listens at {} is no inbox", shown(place_.name()))});
}

std::expected<json, Failure> Connection::get(const std::string& path, const Parameters& parameters,
                                             std::chrono::seconds limit) {
  set(handle_.get(), CURLOPT_HTTPGET, 1L);
  set(handle_.get(), CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  return ask_for_json(path, parameters, limit);
}

std::expected<json, Failure> Connection::post(const std::string& path, const json& body) {
  const std::string text = body.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all);
  set(handle_.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(text.size()));
  set(handle_.get(), CURLOPT_COPYPOSTFIELDS, text.c_str());
  set(handle_.get(), CURLOPT_HTTPHEADER, headers.get());
  auto answer = ask_for_json(path, {}, kUsualLimit);
  set(handle_.get(), CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  return answer;
}

std::expected<void, Failure> Connection::fetch(const std::string& path, const Parameters& parameters, Sink sink) {
  set(handle_.get(), CURLOPT_HTTPGET, 1L);
  set(handle_.get(), CURLOPT_TIMEOUT, 0L);
  set(handle_.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(handle_.get(), CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
  return perform(path, parameters, std::move(sink));
}

Failure Connection::unreachable(CURLcode code, const char* text) const {
  const std::string what = *text == '\0' ? curl_easy_strerror(code) : text;
  std::string error =
      fmt::format("the inbox at {} ({}) does not answer: {}", shown(place_.name()), place_.why, shown(what));
  if (code == CURLE_COULDNT_CONNECT) {
    error +=
        ". A daemon has to run that has a [[hook]] with use = \"inbox\"; its sandbox.listen says where, and --url does";
  }
  return {EX_UNAVAILABLE, "unreachable", std::move(error)};
}

// Problem details (RFC 9457), or what something else says that stands before the inbox.
Failure Connection::problem(long status, const std::string& body) const {
  if (status == 401) {
    return {EX_NOPERM, "permission",
            place_.password.empty() ? "the inbox has a password: --password-file, or HOOKSMTPD_INBOX_PASSWORD"
                                    : "that is not the password of the inbox"};
  }
  const json details = json::parse(body, nullptr, /*allow_exceptions=*/false);
  const std::string text = string_member(details, "detail");
  if (text.empty()) {
    return {EX_UNAVAILABLE, "protocol",
            fmt::format("what listens at {} is no inbox, or one of another version: HTTP {}", shown(place_.name()),
                        status)};
  }
  const std::string error = shown(text);
  if (status == 404 || status == 408) return {kNotFound, "not-found", error};
  if (status == 400) return {EX_USAGE, "usage", error};
  if (status == 403 || status == 421) return {EX_NOPERM, "permission", error};
  return {EX_UNAVAILABLE, "inbox", error};
}

}  // namespace hooksmtpd::ctl::inbox
