// to_json() and from_json() of config.h.
//
// JSON text is Unicode, a path or an argument is any bytes: each byte travels as the code point of its number, so that
// every Config comes back as it was.

#include <concepts>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>

#include "config/config.h"

namespace hooksmtpd::config {
namespace {

using nlohmann::json;

std::string widened(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

// The parser has seen to it that `text` is well-formed UTF-8.
std::string narrowed(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      bytes += text[i];
    } else if (first <= 0xc3) {
      bytes += static_cast<char>(((first & 0x03) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3f));
    } else {
      throw std::runtime_error("configuration: a character above U+00FF");
    }
  }
  return bytes;
}

template <class S, class T>
concept Is = std::same_as<std::remove_const_t<S>, T>;

// The members of each struct, once for both directions.
void members(Is<Source> auto& s, auto visit) {
  visit("file", s.file);
  visit("line", s.line);
  visit("column", s.column);
}
void members(Is<Limits> auto& s, auto visit) {
  visit("message_size", s.message_size);
  visit("recipients", s.recipients);
  visit("connections", s.connections);
  visit("connections_per_address", s.connections_per_address);
  visit("errors", s.errors);
  visit("commands", s.commands);
  visit("strict_lines", s.strict_lines);
}
void members(Is<Timeouts> auto& s, auto visit) {
  visit("idle", s.idle);
  visit("command", s.command);
  visit("data", s.data);
  visit("handshake", s.handshake);
  visit("drain", s.drain);
}
void members(Is<Pem> auto& s, auto visit) {
  visit("file", s.file);
  visit("text", s.text);
}
void members(Is<Certificate> auto& s, auto visit) {
  visit("chain", s.chain);
  visit("key", s.key);
  visit("key_password_file", s.key_password_file);
  visit("source", s.source);
}
void members(Is<Tls> auto& s, auto visit) {
  visit("mode", s.mode);
  visit("certificates", s.certificates);
  visit("min_version", s.min_version);
  visit("ciphers", s.ciphers);
  visit("ciphersuites", s.ciphersuites);
  visit("client_certificates", s.client_certificates);
  visit("ca_file", s.ca_file);
  visit("ca_dir", s.ca_dir);
  visit("authorities", s.authorities);
}
void members(Is<Auth> auto& s, auto visit) {
  visit("source", s.source);
  visit("required", s.required);
  visit("before_tls", s.before_tls);
  visit("mechanisms", s.mechanisms);
  visit("password_file", s.password_file);
  visit("passwords", s.passwords);
}
void members(Is<Network> auto& s, auto visit) {
  visit("address", s.address);
  visit("prefix", s.prefix);
}
void members(Is<Listener> auto& s, auto visit) {
  visit("name", s.name);
  visit("address", s.address);
  visit("protocol", s.protocol);
  visit("socket_mode", s.socket_mode);
  visit("own", s.own);
  visit("hooks", s.hooks);
  visit("hide", s.hide);
  visit("add", s.add);
  visit("lenient", s.lenient);
  visit("proxy_protocol", s.proxy_protocol);
  visit("xclient", s.xclient);
  visit("source", s.source);
}
void members(Is<EventPolicy> auto& s, auto visit) {
  visit("subscribed", s.subscribed);
  visit("timeout", s.timeout);
  visit("on_failure", s.on_failure);
}
void members(Is<Sandbox> auto& s, auto visit) {
  visit("user", s.user);
  visit("read", s.read);
  visit("listen", s.listen);
  visit("write", s.write);
  visit("network", s.network);
  visit("memory", s.memory);
  visit("processes", s.processes);
  visit("cpu", s.cpu);
  visit("files", s.files);
}
void members(Is<Hook> auto& s, auto visit) {
  visit("name", s.name);
  visit("command", s.command);
  visit("events", s.events);
  visit("start_timeout", s.start_timeout);
  visit("instances", s.instances);
  visit("stores", s.stores);
  visit("line_buffer", s.line_buffer);
  visit("reload_on_change", s.reload_on_change);
  visit("web_page", s.web_page);
  visit("options", s.options);
  visit("environment", s.environment);
  visit("sandbox", s.sandbox);
  visit("source", s.source);
  visit("command_source", s.command_source);
}
void members(Is<Mime> auto& s, auto visit) {
  visit("timeout", s.timeout);
  visit("depth", s.depth);
  visit("parts", s.parts);
  visit("size", s.size);
}
void members(Is<std::pair<std::uint32_t, std::uint32_t>> auto& s, auto visit) {
  visit("first", s.first);
  visit("last", s.second);
}
void members(Is<Config> auto& s, auto visit) {
  visit("hostname", s.hostname);
  visit("banner", s.banner);
  visit("log_level", s.log_level);
  visit("listeners", s.listeners);
  visit("limits", s.limits);
  visit("timeouts", s.timeouts);
  visit("tls", s.tls);
  visit("auth", s.auth);
  visit("mime", s.mime);
  visit("hooks", s.hooks);
  visit("sandbox", s.sandbox_mode);
  visit("spool_size", s.spool_size);
  visit("hook_uids", s.hook_uids);
  visit("state_dir", s.state_dir);
  visit("runtime_dir", s.runtime_dir);
}

template <class T>
concept Number = std::unsigned_integral<T> || std::is_enum_v<T>;

struct Writer {
  static json write(Is<bool> auto value) { return value; }
  static json write(const std::string& value) { return widened(value); }
  static json write(const std::filesystem::path& value) { return widened(value.native()); }
  static json write(Milliseconds value) { return value.count(); }
  static json write(Number auto value)
    requires(!std::same_as<decltype(value), bool>)
  {
    return static_cast<std::uint64_t>(value);
  }
  static json write(const std::map<std::string, std::string>& map) {
    auto object = json::object();
    for (const auto& [key, value] : map) object[widened(key)] = widened(value);
    return object;
  }
  template <class T>
  static json write(const std::optional<T>& value) {
    return value ? write(*value) : json();
  }
  template <class T>
  static json write(const std::vector<T>& list) {
    return write_all(list);
  }
  template <class T, std::size_t kSize>
  static json write(const std::array<T, kSize>& list) {
    return write_all(list);
  }
  template <class S>
  static json write(const S& value)
    requires requires { members(value, [](auto&&...) {}); }
  {
    auto object = json::object();
    members(value, [&](const char* name, const auto& member) { object[name] = write(member); });
    return object;
  }
  static json write_all(const auto& list) {
    auto array = json::array();
    for (const auto& element : list) array.push_back(write(element));
    return array;
  }
};

struct Reader {
  static void read(const json& from, bool& value) { value = from.get<bool>(); }
  static void read(const json& from, std::string& value) { value = narrowed(from.get_ref<const std::string&>()); }
  static void read(const json& from, std::filesystem::path& value) {
    value = narrowed(from.get_ref<const std::string&>());
  }
  static void read(const json& from, Milliseconds& value) { value = Milliseconds(from.get<Milliseconds::rep>()); }
  static void read(const json& from, Number auto& value)
    requires(!std::same_as<std::remove_reference_t<decltype(value)>, bool>)
  {
    value = static_cast<std::remove_reference_t<decltype(value)>>(from.get<std::uint64_t>());
  }
  static void read(const json& from, std::map<std::string, std::string>& map) {
    for (const auto& [key, value] : from.items()) map[narrowed(key)] = narrowed(value.get_ref<const std::string&>());
  }
  template <class T>
  static void read(const json& from, std::optional<T>& value) {
    if (!from.is_null()) read(from, value.emplace());
  }
  template <class T>
  static void read(const json& from, std::vector<T>& list) {
    for (const json& element : from) read(element, list.emplace_back());
  }
  template <class T, std::size_t kSize>
  static void read(const json& from, std::array<T, kSize>& list) {
    for (std::size_t i = 0; i < kSize; ++i) read(from.at(i), list[i]);
  }
  template <class S>
  static void read(const json& from, S& value)
    requires requires { members(value, [](auto&&...) {}); }
  {
    members(value, [&](const char* name, auto& member) { read(from.at(name), member); });
  }
};

}  // namespace

std::string to_json(const Config& config) { return Writer::write(config).dump(); }

Config from_json(std::string_view text) {
  try {
    Config config;
    Reader::read(json::parse(text), config);
    return config;
  } catch (const json::exception& error) {
    throw std::runtime_error(std::string("configuration: ") + error.what());
  }
}

}  // namespace hooksmtpd::config
