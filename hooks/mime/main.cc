// The hook behind `deliver_mime`: takes a message apart for the hook that wants to read its parts (PROTOCOL.md,
// "deliver_mime"). It is a hook like any other, jailed like any other: what a message makes of GMime ends one process,
// and that message waits with its client.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmime/gmime.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "hooks/mime/part_files.h"
#include "hooks/mime/tree.h"

namespace hooksmtpd::mime {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// Octets of a tree that goes into the reply; a larger one goes into a file. So does one that leaves too little of a
// request's 1 MiB for the rest: that is as long as our own request is, but for the message, which may be inline, and
// what the hook noted.
constexpr std::size_t kMaxTree = 900 * 1024;
constexpr std::size_t kMaxTreeAndRequest = 1024 * 1024 - 72 * 1024;
// A message of nothing but empty parts could take a hundred times its size.
constexpr rlimit kMemory{.rlim_cur = 2ull << 30, .rlim_max = 2ull << 30};

struct Settings {
  std::map<std::string, std::string> folders;  // by the hook that reads what is in there
  Limits limits;
};

template <class AnyJson>
std::string dump(const AnyJson& json) {
  return json.dump(-1, ' ', true, AnyJson::error_handler_t::replace);
}

// All of it, so that nobody reads half a line.
void say(const std::string& line) {
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, left.data(), left.size());
    if (written < 0 && errno != EINTR) std::exit(EX_IOERR);  // the daemon is gone
    if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
  }
}

Json refusal(const Json& id, const Refusal& why) {
  return {{"id", id},
          {"action", why.code < 500 ? "defer" : "reject"},
          {"code", why.code},
          {"enhanced", why.enhanced},
          {"text", why.text}};
}

Refusal cannot(int error) {
  if (error == ENOSPC || error == EDQUOT) {
    return {.code = 452, .enhanced = "4.3.1", .text = "Insufficient system storage, try again later"};
  }
  return {.code = 451, .enhanced = "4.3.0", .text = "the message could not be taken apart"};
}

class Hook {
 public:
  // `length` is that of the request's line.
  std::string answer(const Json& request, std::size_t length) {
    const std::string event = request.at("event");
    if (event == "hello") return hello(request);
    if (event == "deliver_mime") return deliver(request, length);
    if (event == "reset") forget(request);
    return "ok\n";
  }

 private:
  // What an earlier process left belongs to messages that were never answered.
  std::string hello(const Json& request) {
    const Json& options = request.at("options");
    settings_.folders = options.at("folders").get<std::map<std::string, std::string>>();
    settings_.limits = {.depth = options.at("depth"), .parts = options.at("parts"), .size = options.at("size")};
    for (const auto& [hook, folder] : settings_.folders) PartFiles::remove_all(folder);
    return dump(Json{{"id", request.at("id")}, {"ready", true}, {"name", "mime"}}) + "\n";
  }

  std::string deliver(const Json& request, std::size_t length) {
    const Json& id = request.at("id");
    const std::string& folder = settings_.folders.at(request.at("for"));
    const std::string transaction = request.at("transaction");
    const std::size_t room = std::min(kMaxTree, kMaxTreeAndRequest - std::min(kMaxTreeAndRequest, length));
    auto tree = take_apart(request.at("message").at("path"), folder, transaction, room);
    if (!tree) {
      PartFiles::remove(folder, transaction);
      return dump(refusal(id, tree.error())) + "\n";
    }
    // The tree as it is, behind what the reply begins with.
    return fmt::format("{{\"id\":{},\"action\":\"accept\",\"mime\":{}}}\n", dump(id), *tree);
  }

  // The value of `mime`, in `room` octets.
  std::expected<std::string, Refusal> take_apart(const std::string& path, const std::string& folder,
                                                 const std::string& transaction, std::size_t room) {
    const auto files = PartFiles::make(folder, transaction);
    if (!files) return std::unexpected(cannot(files.error()));
    const int message = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (message < 0) return std::unexpected(cannot(errno));
    auto made = make_tree(message, *files, settings_.limits);
    if (!made) return std::unexpected(std::move(made.error()));
    std::string tree = dump(*made);
    if (tree.size() <= room) return tree;
    const auto file = files->create("tree.json");
    if (!file) return std::unexpected(cannot(file.error()));
    std::FILE* const out = ::fdopen(*file, "w");
    const bool written = std::fwrite(tree.data(), 1, tree.size(), out) == tree.size();
    if (const int error = errno; std::fclose(out) != 0 || !written)
      return std::unexpected(cannot(written ? errno : error));
    return dump(OrderedJson{{"path", files->path("tree.json")}});
  }

  void forget(const Json& request) {
    const auto folder = settings_.folders.find(request.value("for", ""));
    if (folder != settings_.folders.end()) PartFiles::remove(folder->second, request.at("transaction"));
  }

  Settings settings_;
};

int run() {
  ::signal(SIGPIPE, SIG_IGN);
  ::setrlimit(RLIMIT_AS, &kMemory);
  ::umask(0);  // the modes of files and folders are written out
  g_mime_init();
  Hook hook;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      say(hook.answer(Json::parse(line), line.size()));
    } catch (const std::exception& error) {
      fmt::print(stderr, "<3>{}\n", error.what());
      say("defer 451 4.3.0 the message could not be taken apart\n");
    }
  }
  return EX_OK;
}

}  // namespace
}  // namespace hooksmtpd::mime

int main() { return hooksmtpd::mime::run(); }
