#include "hooks/mime/hook.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "hooks/mime/defects.h"
#include "hooks/mime/tree.h"
#include "proto/hook/json_writer.h"

namespace hooksmtpd::mime {
namespace {

using Json = nlohmann::json;

// Octets of a tree that goes into the reply; a larger one goes into a file. So does one that leaves too little of a
// request's 1 MiB for the rest: that is as long as our own request is, but for the message, which may be inline, and
// what the hook noted.
constexpr std::size_t kMaxTree = 900 * 1024;
constexpr std::size_t kMaxTreeAndRequest = 1024 * 1024 - 72 * 1024;

void log(std::string_view text) { fmt::print(stderr, "<3>{}\n", text); }

// An object's members, without the brace before them.
std::string refused(const Refusal& why) {
  std::string reply = "{";
  hook::JsonWriter writer(reply);
  writer.text("action", why.code < 500 ? "defer" : "reject");
  writer.number("code", static_cast<std::uint64_t>(why.code));
  writer.text("enhanced", why.enhanced);
  writer.text("text", why.text);
  writer.end_object();
  return reply.substr(1);
}

std::string failed(std::string_view what, int error) {
  log(fmt::format("{}: {}", what, std::strerror(error)));
  return refused(cannot(error));
}

std::string not_ready(std::string_view text) {
  std::string reply = "{";
  hook::JsonWriter writer(reply);
  writer.boolean("ready", false);
  writer.text("text", text);
  writer.end_object();
  return reply.substr(1);
}

}  // namespace

std::string Hook::answer(std::string_view line) {
  Json id;
  std::string rest;
  try {
    const Json request = Json::parse(line);
    id = request.value("id", Json());
    const std::string event = request.at("event");
    if (event == "hello") {
      rest = hello(request);
    } else if (event == "deliver_mime") {
      rest = deliver(request, line.size());
    } else {
      if (event == "reset") forget(request);
      rest = R"("action":"accept"})";
    }
  } catch (const Json::exception& error) {
    log(fmt::format("request not understood: {}", in_quotes(error.what())));
    rest = refused(cannot(EINVAL));
  }
  return fmt::format("{{\"id\":{},{}", id.dump(-1, ' ', true, Json::error_handler_t::replace), rest);
}

// What an earlier process left belongs to messages that were never answered.
std::string Hook::hello(const Json& request) {
  const Json& options = request.at("options");
  if (!options.contains("folders")) return not_ready("the mime hook is the daemon's own: it is not to be configured");
  shelves_.clear();
  limits_ = {.depth = options.at("depth"), .parts = options.at("parts"), .size = options.at("size")};
  for (const auto& [hook, folder] : options.at("folders").get<std::map<std::string, std::string>>()) {
    auto shelf = Shelf::open(folder);
    if (!shelf) return not_ready(fmt::format("cannot open {}: {}", in_quotes(folder), std::strerror(shelf.error())));
    shelf->remove_all();
    shelves_.emplace(hook, *std::move(shelf));
  }
  return R"("ready":true,"name":"mime","version":")" HOOKSMTPD_VERSION R"(","v":1})";
}

std::string Hook::deliver(const Json& request, std::size_t length) {
  const auto shelf = shelves_.find(request.at("for").get<std::string>());
  if (shelf == shelves_.end()) return failed("there is no folder for that hook", EINVAL);
  auto files = shelf->second.make(request.at("transaction"));
  if (!files) return failed("cannot make a folder", files.error());

  const Json& message = request.at("message");
  const File file(open(message.at("path").get_ref<const std::string&>().c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!file.is_open() || fstat(file.get(), &status) != 0) return failed("cannot open the message", errno);
  if (static_cast<std::uint64_t>(status.st_size) != message.at("size").get<std::uint64_t>()) {
    return failed("the message has not as many octets as were announced", EIO);
  }
  const Json& params = request.at("params");
  const std::size_t room = std::min(kMaxTree, kMaxTreeAndRequest - std::min(kMaxTreeAndRequest, length));
  const auto tree =
      make_tree({.message = file.get(), .utf8 = params.contains("SMTPUTF8"), .room = room}, *files, limits_);
  if (!tree) return refused(tree.error());
  files->keep();
  return fmt::format("\"action\":\"accept\",\"mime\":{}}}", *tree);
}

void Hook::forget(const Json& request) const {
  const auto shelf = shelves_.find(request.value("for", ""));
  if (shelf != shelves_.end()) shelf->second.remove(request.at("transaction"));
}

}  // namespace hooksmtpd::mime
