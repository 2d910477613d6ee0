#include "daemon/ctl/inbox/place.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "config/address.h"
#include "config/ready_made.h"
#include "daemon/ctl/terminal_text.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::ctl::inbox {
namespace {

using nlohmann::json;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

// `source` is what had `text`: "--url".
std::expected<Place, Failure> parse(const std::string& text, const std::string& source) {
  auto place = parse_place(text);
  if (!place) return std::unexpected(Failure{EX_USAGE, "usage", source + ": " + place.error()});
  place->why = fmt::format("as {} says", source);
  return *std::move(place);
}

std::expected<Place, Failure> default_place() {
  auto place = parse(config::find_ready_made("inbox")->listen.front(), "inbox");
  place->why = "the default, for no daemon could be asked";
  return place;
}

// Whoever may not ask the daemon may ask its inbox all the same.
std::expected<Place, Failure> place_of_daemon(const Context& context) {
  const auto status = ask_once(context, {{"command", "status"}});
  if (!status || !status->is_object() || !status->contains("web_pages")) return default_place();
  const json& pages = status->at("web_pages");
  if (pages.is_array() && !pages.empty() && pages.front().is_string()) {
    return parse(pages.front().get<std::string>(), "the running daemon");
  }
  return std::unexpected(
      Failure{EX_UNAVAILABLE, "no-inbox",
              "the running daemon has no inbox that listens: its configuration needs a [[hook]] with use = \"inbox\"; "
              "another inbox is named by --url"});
}

std::expected<std::string, Failure> password(const std::string& file) {
  if (file.empty()) return variable("HOOKSMTPD_INBOX_PASSWORD");
  std::ifstream in(file);
  std::string line;
  if (!in || (!std::getline(in, line) && !in.eof())) {
    return std::unexpected(Failure{EX_NOINPUT, "no-input", fmt::format("{}: {}", shown(file), sys::errno_text(errno))});
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

std::expected<Place, std::string> parse_place(const std::string& text) {
  if (text.starts_with("http://") || text.starts_with("https://")) {
    const std::size_t end = text.find_last_not_of('/');
    if (text[end] == ':') return std::unexpected(fmt::format("\"{}\" names no server", shown(text)));
    return Place{.url = text.substr(0, end + 1)};
  }
  const auto address = config::parse_address(text);
  if (!address) return std::unexpected(address.error() + "; or a URL: \"http://127.0.0.1:8025\"");
  if (address->is_unix()) return Place{.url = "http://localhost", .socket = address->path};
  return Place{.url = "http://" + text};
}

std::expected<Place, Failure> find_place(const Context& context) {
  const auto found = [&]() -> std::expected<Place, Failure> {
    if (!context.inbox_url.empty()) return parse(context.inbox_url, "--url");
    if (const std::string text = variable("HOOKSMTPD_INBOX"); !text.empty()) return parse(text, "HOOKSMTPD_INBOX");
    return place_of_daemon(context);
  };
  auto place = found();
  if (!place) return place;
  auto secret = password(context.inbox_password_file);
  if (!secret) return std::unexpected(secret.error());
  place->password = *std::move(secret);
  return place;
}

}  // namespace hooksmtpd::ctl::inbox
