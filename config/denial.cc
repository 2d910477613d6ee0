#include "config/denial.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <span>
#include <vector>

#include "config/spelling.h"

namespace hooksmtpd::config {
namespace {

namespace fs = std::filesystem;

// How programs in C, sh, Python, Node, Perl and Go spell what went wrong.
using Words = std::span<const std::string_view>;
constexpr std::array<std::string_view, 9> kUnreachable{"Network is unreachable",
                                                       "network is unreachable",
                                                       "ENETUNREACH",
                                                       "EAI_AGAIN",
                                                       "Temporary failure in name resolution",
                                                       "Could not resolve",
                                                       "could not resolve",
                                                       "No route to host",
                                                       "Cannot assign requested address"};
constexpr std::array<std::string_view, 5> kNoProcess{"Cannot fork", "can't start new thread", "fork: ", "spawn EAGAIN",
                                                     "BlockingIOError: [Errno 11]"};  // so Python says of fork()
// Said of many calls: with one of the words after it, of a process or thread that was not made.
constexpr std::array<std::string_view, 2> kBusy{"Resource temporarily unavailable", "EAGAIN"};
constexpr std::array<std::string_view, 5> kMaking{"fork", "clone", "spawn", "thread", "process"};
constexpr std::array<std::string_view, 2> kNoDescriptor{"Too many open files", "EMFILE"};
constexpr std::array<std::string_view, 4> kNoMemory{"Cannot allocate memory", "ENOMEM", "MemoryError",
                                                    "JavaScript heap out of memory"};
constexpr std::array<std::string_view, 2> kReadOnly{"Read-only file system", "EROFS"};
constexpr std::array<std::string_view, 3> kClosed{"Permission denied", "EACCES", "permission denied"};
constexpr std::array<std::string_view, 4> kMissing{"No such file", "ENOENT", "nonexistent directory", "no such file"};
constexpr std::array<std::string_view, 3> kRefused{"Operation not permitted", "EPERM", "Bad system call"};

bool says(std::string_view line, Words words) {
  return std::ranges::any_of(words, [&](std::string_view one) { return line.contains(one); });
}

// Never cut, as in_quotes() does: a path that is cut is no cure. A line is bounded where it is read.
std::string whole(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return quoted + '"';
}

std::string denied(std::string_view what, std::string_view object, std::string_view why, std::string_view fix) {
  return fmt::format("denied what={}{}{} why={} fix={}", what, object.empty() ? "" : " ", object, whole(why),
                     whole(fix));
}

// The last absolute path in the line, to the quote, colon, comma or end that closes it; empty: there is none. A shell
// names the script first.
std::string path_in(std::string_view line) {
  std::string last;
  for (std::size_t at = line.find('/'); at != std::string_view::npos; at = line.find('/', at + 1)) {
    const char before = at == 0 ? ' ' : line[at - 1];
    if (std::string_view(" '\"`(").find(before) == std::string_view::npos) continue;
    const std::string_view closing = before == '\'' || before == '"' || before == '`' ? "'\"`" : " ':\",;)";
    const std::string_view path = line.substr(at, std::min(line.find_first_of(closing, at), line.size()) - at);
    if (path.size() > 1 && !path.starts_with("//")) last = fs::path(path).lexically_normal().string();
  }
  return last;
}

// "10.0.0.5:5432" of Node's "connect EACCES 10.0.0.5:5432"; empty where it says nothing.
std::string address_in(std::string_view line) {
  const std::size_t connect = line.find("connect ");
  if (connect == std::string_view::npos) return {};
  std::string_view rest = line.substr(connect + 8);
  rest = rest.substr(std::min(rest.find(' ') + 1, rest.size()));
  const std::string_view address = rest.substr(0, std::min(rest.find_first_of(" \t\r"), rest.size()));
  const bool is_one =
      address.contains(':') && !address.empty() && std::isxdigit(static_cast<unsigned char>(address[0]));
  return is_one ? fmt::format("to={}", whole(address)) : "";
}

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::ranges::mismatch(folder, path).in2 != path.begin() &&
         std::ranges::mismatch(folder, path).in1 == folder.end();
}

bool is_below(const fs::path& path, const std::vector<fs::path>& folders) {
  return std::ranges::any_of(folders, [&](const fs::path& folder) {
    return is_below(path, folder.has_filename() ? folder : folder.parent_path());  // "/srv/a/"
  });
}

// What every jail has.
bool is_of_the_system(const fs::path& path) {
  constexpr std::array kFolders{"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/proc", "/dev"};
  return std::ranges::any_of(kFolders, [&](const fs::path& folder) { return is_below(path, folder); });
}

std::optional<std::string> explain_network(std::string_view line, const Hook& hook) {
  if (hook.sandbox.network == NetworkAccess::kHost) return std::nullopt;
  const bool closed = says(line, kClosed) && path_in(line).empty() && line.contains("connect");
  if (!says(line, kUnreachable) && !closed) return std::nullopt;
  const std::string_view network = hook.sandbox.network == NetworkAccess::kNone ? "none" : "loopback";
  return denied("network", address_in(line), fmt::format("sandbox.network is \"{}\"", network),
                "sandbox.network = \"host\"");
}

std::optional<std::string> explain_limit(std::string_view line, const Hook& hook) {
  if (says(line, kNoProcess) || (says(line, kBusy) && says(line, kMaking))) {
    return denied("process", "", fmt::format("sandbox.processes is {}", hook.sandbox.processes),
                  fmt::format("sandbox.processes = {}", hook.sandbox.processes * 2));
  }
  if (says(line, kNoDescriptor)) {
    return denied("file", "", fmt::format("sandbox.files is {}", hook.sandbox.files),
                  fmt::format("sandbox.files = {}", hook.sandbox.files * 4));
  }
  if (says(line, kNoMemory) && hook.sandbox.memory != 0) {
    return denied("memory", "", fmt::format("sandbox.memory is \"{}\"", size_text(hook.sandbox.memory)),
                  fmt::format("sandbox.memory = \"{}\"", size_text(hook.sandbox.memory * 2)));
  }
  return std::nullopt;
}

std::optional<std::string> explain_file(std::string_view line, const Hook& hook, const Config& config) {
  const fs::path path = path_in(line);
  if (path.empty()) return std::nullopt;
  const fs::path state = config.state_dir / "hooks" / hook.name;
  const std::string object = fmt::format("path={}", whole(path.string()));
  const std::string folder = path.parent_path().string();
  const auto add = [&](std::string_view key) { return fmt::format("sandbox.{} = [{}]", key, whole(folder)); };
  const bool own = is_below(path, state) || is_below(path, hook.sandbox.write);
  const bool shown = own || path.parent_path() == "/tmp" || is_below(path, config.runtime_dir) ||
                     is_of_the_system(path) || is_below(path, hook.sandbox.read) ||
                     is_below(path, fs::path(hook.command.empty() ? "" : hook.command.front()).parent_path());
  if (says(line, kReadOnly) && !own) {
    return denied("write", object, "it writes its state folder, /tmp, and what sandbox.write names",
                  is_of_the_system(path) ? fmt::format("write below {}", state.string()) : add("write"));
  }
  if (says(line, kMissing) && !shown) {
    return denied("read", object, "it sees the system, its own folder, and what sandbox.read names", add("read"));
  }
  if (says(line, kClosed) && !own) {
    return denied("file", object, "its user may not, or it is outside of sandbox.write",
                  shown ? fmt::format("chmod a+rX {}", path.string()) : add("read"));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> explain_denial(std::string_view line, const Config& config, std::string_view name) {
  const auto hook = std::ranges::find(config.hooks, name, &Hook::name);
  if (hook == config.hooks.end()) return std::nullopt;
  if (auto text = explain_network(line, *hook)) return text;
  if (auto text = explain_file(line, *hook, config)) return text;
  if (auto text = explain_limit(line, *hook)) return text;
  if (says(line, kRefused)) {
    return denied("call", "", "no hook may have privileges, namespaces, mounts, or other processes' memory",
                  "do that outside of the daemon");
  }
  return std::nullopt;
}

}  // namespace hooksmtpd::config
