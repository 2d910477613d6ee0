// The ready-made hook that keeps every message in a Maildir (proto/hook/PROTOCOL.md).
//
//   options = { path = "Maildir" }   where, from $HOOK_STATE on; this is the default
//
// It answers when the message is on disk, and says on stderr, in a line, which one it was.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "hooks/maildir/maildir.h"
#include "hooks/maildir/subject.h"
#include "proto/hook/printable.h"

namespace {

using namespace hooksmtpd;
using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kShownRecipients = 5;
constexpr std::size_t kShownSubject = 120;
constexpr std::size_t kRemembered = 256;  // messages that `reset` can still take back

void log(int level, const std::string& text) { fmt::print(stderr, "<{}>{}\n", level, text); }

Json defer(int code, const char* enhanced, const char* text) {
  return {{"action", "defer"}, {"code", code}, {"enhanced", enhanced}, {"text", text}};
}

std::string recipients(const Json& to) {
  std::string text;
  for (std::size_t i = 0; i < std::min(to.size(), kShownRecipients); ++i) {
    text += fmt::format("{}<{}>", i == 0 ? "" : ",", hook::printable(to[i].get<std::string>()));
  }
  if (to.size() > kShownRecipients) text += fmt::format(" and {} more", to.size() - kShownRecipients);
  return text;
}

class Hook {
 public:
  Json answer(const Json& request) {
    const std::string event = request.at("event");
    if (event == "hello") return hello(request);
    if (event == "deliver") return deliver(request);
    if (event == "reset") return reset(request);
    return {{"action", "accept"}};
  }

 private:
  Json hello(const Json& request) {
    const auto not_ready = [](const std::string& text) { return Json{{"ready", false}, {"text", text}}; };
    fs::path folder = "Maildir";
    const Json options = request.value("options", Json::object());
    for (const auto& [key, value] : options.items()) {
      if (key != "path") return not_ready(fmt::format("unknown option \"{}\": there is only \"path\"", key));
      if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
        return not_ready("the option \"path\" must name a folder");
      }
      folder = value.get<std::string>();
    }
    if (folder.is_relative()) {
      const char* state = std::getenv("HOOK_STATE");
      if (state == nullptr || *state != '/') return not_ready("HOOK_STATE must name the folder of this hook");
      folder = state / folder;
    }
    folder = (folder / "").parent_path();  // without a slash at the end
    maildir_.emplace(folder);
    if (auto made = maildir_->prepare(); !made) return not_ready(made.error().text);
    return {{"ready", true}, {"name", "maildir"}, {"version", HOOKSMTPD_VERSION}, {"v", 1}, {"stores", true}};
  }

  Json deliver(const Json& request) {
    if (!maildir_) return defer(451, "4.3.0", "cannot store the message: it came before hello");
    const Json& message = request.at("message");
    const fs::path path = message.at("path").get<std::string>();
    const std::uint64_t size = message.at("size");
    auto stored = maildir_->store(path, size);
    if (!stored && stored.error().error == ENOENT && maildir_->prepare()) {
      stored = maildir_->store(path, size);  // somebody emptied it by removing it
    }
    if (!stored) {
      log(3, fmt::format("mail not stored: {}", stored.error().text));
      return stored.error().is_full() ? defer(452, "4.3.1", "cannot store the message: no space left")
                                      : defer(451, "4.3.0", "cannot store the message: see the log");
    }
    log(5, fmt::format("mail from=<{}> to={} subject=\"{}\" file={}",
                       hook::printable(request.at("from").get<std::string>()), recipients(request.at("to")),
                       hook::printable(maildir::subject_of(stored->beginning), kShownSubject),
                       hook::printable(stored->file.native(), 4096)));
    recent_.emplace_back(request.at("transaction").get<std::string>(), stored->file);
    if (recent_.size() > kRemembered) recent_.pop_front();
    return {{"action", "accept"}};
  }

  // A hook after this one refused the message: the client was told so, and still has it.
  Json reset(const Json& request) {
    const std::string transaction = request.at("transaction");
    const auto found = std::ranges::find(recent_, transaction, &std::pair<std::string, fs::path>::first);
    if (found != recent_.end()) {
      const auto removed = maildir_->remove(found->second);
      log(removed ? 5 : 4, removed ? fmt::format("mail taken back, a later hook refused it: file={}",
                                                 hook::printable(found->second.native(), 4096))
                                   : fmt::format("mail not taken back: {}", removed.error().text));
      recent_.erase(found);
    }
    return {{"action", "accept"}};
  }

  std::optional<maildir::Maildir> maildir_;
  std::deque<std::pair<std::string, fs::path>> recent_;  // transaction and file
};

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  Hook hook;
  for (std::string line; std::getline(std::cin, line);) {
    Json reply;
    Json id;
    try {
      const Json request = Json::parse(line);
      id = request.value("id", Json());
      reply = hook.answer(request);
    } catch (const Json::exception& error) {
      log(3, fmt::format("request not understood: {}", hook::printable(error.what())));
      reply = defer(451, "4.3.0", "the maildir hook did not understand the request");
    }
    reply["id"] = id;
    std::cout << reply.dump(-1, ' ', true, Json::error_handler_t::replace) << std::endl;
  }
}
