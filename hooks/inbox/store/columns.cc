#include "hooks/inbox/store/columns.h"

#include <nlohmann/json.hpp>

namespace hooksmtpd::inbox {
namespace {

using Json = nlohmann::json;

Json to_json(const Address& address) { return Json::array({address.name, address.address}); }

Json to_json(const Addresses& addresses) {
  Json list = Json::array();
  for (const Address& address : addresses) list.push_back(to_json(address));
  return list;
}

Address address_from(const Json& json) { return {.name = json.at(0), .address = json.at(1)}; }

Addresses addresses_from(const Json& json, const char* key) {
  Addresses addresses;
  for (const Json& each : json.value(key, Json::array())) addresses.push_back(address_from(each));
  return addresses;
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void put(Json& json, const char* key, const auto& value) {
  if (!value.empty()) json[key] = value;
}

}  // namespace

std::string to_column(const AllAddresses& addresses) {
  Json json = Json::object();
  if (addresses.from) json["from"] = to_json(*addresses.from);
  put(json, "to", to_json(addresses.to));
  put(json, "cc", to_json(addresses.cc));
  put(json, "bcc", to_json(addresses.bcc));
  put(json, "reply_to", to_json(addresses.reply_to));
  return text_of(json);
}

AllAddresses addresses_from_column(std::string_view text) {
  const Json json = Json::parse(text);
  AllAddresses addresses;
  if (json.contains("from")) addresses.from = address_from(json["from"]);
  addresses.to = addresses_from(json, "to");
  addresses.cc = addresses_from(json, "cc");
  addresses.bcc = addresses_from(json, "bcc");
  addresses.reply_to = addresses_from(json, "reply_to");
  return addresses;
}

std::string to_column(const Arrival& arrival) {
  Json json = Json::object();
  put(json, "listener", arrival.listener);
  put(json, "user", arrival.user);
  put(json, "from", arrival.from);
  put(json, "to", arrival.to);
  if (arrival.trace_headers > 0) json["trace_headers"] = arrival.trace_headers;
  return text_of(json);
}

Arrival arrival_from_column(std::string_view text) {
  const Json json = Json::parse(text);
  Arrival arrival;
  arrival.listener = json.value("listener", "");
  arrival.user = json.value("user", "");
  arrival.from = json.value("from", "");
  arrival.to = json.value("to", std::vector<std::string>());
  arrival.trace_headers = json.value("trace_headers", 0U);
  return arrival;
}

std::string to_column(const Session& session) {
  Json json = Json::object();
  put(json, "client", session.client);
  put(json, "listener", session.listener);
  put(json, "helo", session.helo);
  put(json, "user", session.user);
  put(json, "tls", session.tls);
  put(json, "from", session.from);
  put(json, "to", session.to);
  put(json, "reason", session.reason);
  put(json, "hook", session.hook);
  return text_of(json);
}

void from_column(std::string_view text, Session& session) {
  const Json json = Json::parse(text);
  session.client = json.value("client", "");
  session.listener = json.value("listener", "");
  session.helo = json.value("helo", "");
  session.user = json.value("user", "");
  session.tls = json.value("tls", "");
  session.from = json.value("from", "");
  session.to = json.value("to", std::vector<std::string>());
  session.reason = json.value("reason", "");
  session.hook = json.value("hook", "");
}

}  // namespace hooksmtpd::inbox
