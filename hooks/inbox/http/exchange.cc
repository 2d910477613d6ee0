#include "hooks/inbox/http/exchange.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

namespace hooksmtpd::inbox {
namespace {

struct Free {
  void operator()(char* text) const { free(text); }
};

// With its percent signs resolved; empty where it has a NUL or a ".." in it: no path of ours has.
std::string decoded(const char* path) {
  if (path == nullptr) return {};
  std::size_t size = 0;
  const std::unique_ptr<char, Free> text(evhttp_uridecode(path, 0, &size));
  const std::string_view view = text ? std::string_view(text.get(), size) : "";
  if (view.contains('\0') || view.contains("..")) return {};
  return std::string(view);
}

}  // namespace

std::string to_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Exchange::~Exchange() {
  if (request_ != nullptr) watch_connection(false);
}

Exchange::Exchange(evhttp_request* request) : request_(request) {
  watch_connection(true);
  // Some clients put a slash behind one; what stands behind two would be the name of a server (RFC 3986 §3.2).
  const char* text_of_uri = evhttp_request_get_uri(request);
  while (text_of_uri[0] == '/' && text_of_uri[1] == '/') ++text_of_uri;
  const std::unique_ptr<evhttp_uri, decltype(&evhttp_uri_free)> uri(
      evhttp_uri_parse_with_flags(text_of_uri, EVHTTP_URI_NONCONFORMANT), evhttp_uri_free);
  if (!uri) return;
  path_ = decoded(evhttp_uri_get_path(uri.get()));
  evkeyvalq query{};
  if (const char* const text = evhttp_uri_get_query(uri.get()); text && evhttp_parse_query_str(text, &query) == 0) {
    for (const evkeyval* pair = query.tqh_first; pair; pair = pair->next.tqe_next) parameters_[pair->key] = pair->value;
  }
  evhttp_clear_headers(&query);
}

std::string Exchange::parameter(const std::string& name) const {
  const auto found = parameters_.find(name);
  return found == parameters_.end() ? "" : found->second;
}

std::optional<std::string> Exchange::header(const char* name) const {
  const char* const value = evhttp_find_header(evhttp_request_get_input_headers(request_), name);
  if (value == nullptr) return std::nullopt;
  return value;
}

std::string Exchange::body() const {
  evbuffer* const buffer = evhttp_request_get_input_buffer(request_);
  std::string octets(evbuffer_get_length(buffer), '\0');
  evbuffer_copyout(buffer, octets.data(), octets.size());
  return octets;
}

void Exchange::add_header(const char* name, const std::string& value) {
  evhttp_add_header(evhttp_request_get_output_headers(request_), name, value.c_str());
}

// Nothing of ours is ever guessed at, kept, or shown within somebody else's page.
void Exchange::reply(int status, std::string_view type, std::string_view body, Headers headers) {
  if (request_ == nullptr) return;
  watch_connection(false);  // it may have further requests
  add_header("Content-Type", std::string(type));
  add_header("X-Content-Type-Options", "nosniff");
  add_header("Referrer-Policy", "no-referrer");
  bool cached = false, shared = false;
  for (const auto& [name, value] : headers) {
    cached = cached || std::string_view(name) == "Cache-Control";
    shared = shared || std::string_view(name) == "Cross-Origin-Resource-Policy";
    add_header(name, value);
  }
  if (!cached) add_header("Cache-Control", "no-store");
  if (!shared) add_header("Cross-Origin-Resource-Policy", "same-origin");
  const std::unique_ptr<evbuffer, decltype(&evbuffer_free)> out(evbuffer_new(), evbuffer_free);
  evbuffer_add(out.get(), body.data(), body.size());
  evhttp_send_reply(std::exchange(request_, nullptr), status, nullptr, out.get());
}

void Exchange::reply(const nlohmann::json& json, int status) { reply(status, kJson, to_text(json)); }

void Exchange::reply(const Problem& problem) {
  if (path_ == "/api/v1/send") return reply(problem.status, kJson, to_text({{"Error", problem.detail}}));
  if (path_.starts_with("/api/v1/")) return reply(problem.status, kPlain, problem.detail);
  const nlohmann::json json{
      {"type", "about:blank"}, {"title", problem.title}, {"status", problem.status}, {"detail", problem.detail}};
  reply(problem.status, "application/problem+json", to_text(json));
}

void Exchange::watch_connection(bool watch) {
  const auto closed = [](evhttp_connection*, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    exchange.request_ = nullptr;
    if (const auto left = std::move(exchange.left_)) left();  // it may be the exchange's end
  };
  evhttp_connection_set_closecb(evhttp_request_get_connection(request_), watch ? +closed : nullptr,
                                watch ? this : nullptr);
}

void Exchange::begin(std::string_view type) {
  add_header("Content-Type", std::string(type));
  add_header("X-Content-Type-Options", "nosniff");
  add_header("Cache-Control", "no-store");
  evhttp_send_reply_start(request_, HTTP_OK, nullptr);
}

void Exchange::send(std::string_view piece) {
  if (request_ == nullptr) return;
  const std::unique_ptr<evbuffer, decltype(&evbuffer_free)> out(evbuffer_new(), evbuffer_free);
  evbuffer_add(out.get(), piece.data(), piece.size());
  evhttp_send_reply_chunk(request_, out.get());
}

}  // namespace hooksmtpd::inbox
