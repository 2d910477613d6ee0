// One request of HTTP and its answer: what the routes see of libevent's evhttp.

#pragma once

#include <event2/http.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hooksmtpd::inbox {

// A refusal: RFC 9457 under /api/v2; under /api/v1 as Mailpit has it, its text alone, or in JSON where mail is sent.
struct Problem {
  int status;
  std::string title;
  std::string detail;
};

class Exchange {
 public:
  // `request` stays evhttp's, which takes it away when the client leaves: what is replied then is nobody's.
  explicit Exchange(evhttp_request* request);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  evhttp_cmd_type method() const { return evhttp_request_get_command(request_); }
  bool reads() const { return method() == EVHTTP_REQ_GET || method() == EVHTTP_REQ_HEAD; }
  const std::string& path() const { return path_; }  // decoded; empty: there is none that can be
  // Of the query; empty: it is not there.
  std::string parameter(const std::string& name) const;
  bool has_parameter(const std::string& name) const { return parameters_.contains(name); }
  // Of the request's header; nullopt: it is not there.
  std::optional<std::string> header(const char* name) const;
  std::string body() const;

  using Headers = std::initializer_list<std::pair<const char*, std::string>>;
  // One of these, once.
  void reply(int status, std::string_view type, std::string_view body, Headers headers = {});
  void reply(const nlohmann::json& json, int status = HTTP_OK);
  void reply(const Problem& problem);

  // Calls `left` if the client leaves before it has all of its answer.
  void on_leave(std::function<void()> left) { left_ = std::move(left); }

  // Or an answer that goes on until its client leaves.
  void begin(std::string_view type);
  void send(std::string_view piece);

 private:
  void watch_connection(bool watch);
  void add_header(const char* name, const std::string& value);

  evhttp_request* request_;  // null: the client has left, or has its answer
  std::string path_;
  std::map<std::string, std::string> parameters_;
  std::function<void()> left_;
};

// "application/json; charset=utf-8" and so on.
inline constexpr const char* kJson = "application/json";
inline constexpr const char* kPlain = "text/plain; charset=utf-8";

std::string to_text(const nlohmann::json& json);

}  // namespace hooksmtpd::inbox
