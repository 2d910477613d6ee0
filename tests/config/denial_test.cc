#include <doctest/doctest.h>

#include "config/denial.h"

namespace hooksmtpd::config {
namespace {

Config one_hook() {
  Config config;
  config.state_dir = "/state";
  config.runtime_dir = "/run/h";
  Hook& hook = config.hooks.emplace_back();
  hook.name = "h";
  hook.command = {"/srv/h/hook.py"};
  hook.sandbox = {.user = "", .read = {"/srv/in"}, .write = {"/srv/out/"}, .listen = {}};
  return config;
}

std::string explained(std::string_view line, const Config& config = one_hook()) {
  return explain_denial(line, config, "h").value_or("");
}

TEST_CASE("what a hook says of its sandbox is explained, in the words of several languages") {
  struct Case {
    std::string_view line, what, fix;  // empty: it is not explained
  };
  constexpr Case kCases[] = {
      {"OSError: [Errno 101] Network is unreachable", "denied what=network", R"(fix="sandbox.network = \"host\"")"},
      {"Error: connect ENETUNREACH 10.0.0.5:5432 - Local", R"(to="10.0.0.5:5432")", "network"},
      {"Error: connect EACCES 10.0.0.5:5432", "denied what=network", "network"},
      {"socket.gaierror: [Errno -3] Temporary failure in name resolution", "denied what=network", "network"},
      {"curl: (6) Could not resolve host: a.test", "denied what=network", "network"},
      {"FileNotFoundError: [Errno 2] No such file or directory: '/srv/x/list'", R"(path="/srv/x/list")",
       R"(fix="sandbox.read = [\"/srv/x\"]")"},
      {"Error: ENOENT: no such file or directory, open '/srv/x/list'", "what=read", R"([\"/srv/x\"])"},
      {"cat: /srv/x/list: No such file or directory", "what=read", R"([\"/srv/x\"])"},
      {"cat: /srv/in/list: No such file or directory", "", ""},
      {"cat: /srv/h/list: No such file or directory", "", ""},
      {"cat: /state/hooks/h/list: No such file or directory", "", ""},
      {"/x/hook: 3: cannot create /srv/in/new: Read-only file system", "what=write", ""},
      {"OSError: [Errno 30] Read-only file system: '/srv/in/new'", "what=write",
       R"(fix="sandbox.write = [\"/srv/in\"]")"},
      {"OSError: [Errno 30] Read-only file system: '/usr/new'", "what=write", "write below /state/hooks/h"},
      {"PermissionError: [Errno 13] Permission denied: '/srv/in/secret'", "what=file", "chmod a+rX /srv/in/secret"},
      {"PermissionError: [Errno 13] Permission denied: '/srv/out/secret'", "", ""},
      {"sh: 1: Cannot fork", "sandbox.processes is 64", "sandbox.processes = 128"},
      {"BlockingIOError: [Errno 11] Resource temporarily unavailable", "sandbox.processes is 64", "128"},
      {"read: Resource temporarily unavailable", "", ""},
      {"OSError: [Errno 24] Too many open files: '/dev/null'", "sandbox.files is 256", "sandbox.files = 1024"},
      {"MemoryError", R"(sandbox.memory is \"256M\")", R"(sandbox.memory = \"512M\")"},
      {"unshare: unshare failed: Operation not permitted", "denied what=call", "outside of the daemon"},
      {"a recipient was refused", "", ""},
  };
  for (const Case& one : kCases) {
    const std::string text = explained(one.line);
    CAPTURE(one.line);
    CAPTURE(text);
    CHECK_EQ(text.empty(), one.what.empty());
    CHECK(text.contains(one.what));
    CHECK(text.contains(one.fix));
  }
}

TEST_CASE("what the profile gives is no reason") {
  Config config = one_hook();
  config.hooks[0].sandbox.network = NetworkAccess::kHost;
  CHECK_EQ(explained("Network is unreachable", config), "");
  config.hooks[0].sandbox.memory = 0;
  CHECK_EQ(explained("MemoryError", config), "");
  CHECK_FALSE(explain_denial("Network is unreachable", one_hook(), "another").has_value());
}

TEST_CASE("what a hook writes is no line of ours: it is quoted") {
  const std::string text = explained("cat: /srv/x/\x1b[31m\"y: No such file or directory");
  CHECK_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace hooksmtpd::config
