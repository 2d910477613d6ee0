#include "hooks/inbox/http/access.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace hooksmtpd::inbox;

namespace {

using Header = std::optional<std::string>;

const AccessRules kOpen{.hosts = {"mail.dev.test"}, .token = "secret-token", .password = ""};
const AccessRules kLocked{.hosts = {}, .token = "secret-token", .password = "correct horse"};

struct HostCase {
  Header host;
  Access result;
};

const HostCase kHosts[] = {
    {"localhost", Access::kAllowed},
    {"localhost:8025", Access::kAllowed},
    {"LocalHost:8025", Access::kAllowed},
    {"inbox.localhost:8025", Access::kAllowed},
    {"127.0.0.1:8025", Access::kAllowed},
    {"192.0.2.7", Access::kAllowed},
    {"[::1]:8025", Access::kAllowed},
    {"[2001:db8::7]", Access::kAllowed},
    {"mail.dev.test:8025", Access::kAllowed},
    {"Mail.Dev.Test", Access::kAllowed},
    // a name that somebody has led to our address
    {"evil.test", Access::kWrongHost},
    {"evil.test:8025", Access::kWrongHost},
    {"localhost.evil.test", Access::kWrongHost},
    {"notlocalhost", Access::kWrongHost},
    {"127.0.0.1.evil.test", Access::kWrongHost},
    {"x.mail.dev.test", Access::kWrongHost},
    {"mail.dev.test.", Access::kWrongHost},
    {"[::1", Access::kWrongHost},
    {"", Access::kWrongHost},
    {":8025", Access::kWrongHost},
    {std::nullopt, Access::kWrongHost},
};

struct BrowserCase {
  const char* what;
  Asked asked;
  Access result;
};

Asked with_host(Asked asked) {
  asked.host = "localhost:8025";
  return asked;
}

const std::string kApi = "/api/v2/messages", kPart = "/api/v2/messages/3f2a/parts/2";

const BrowserCase kBrowsers[] = {
    {"a tool reads", {.path = kApi}, Access::kAllowed},
    {"a tool changes", {.path = kApi, .changes = true}, Access::kAllowed},
    {"our page reads", {.path = kApi, .fetch_site = "same-origin"}, Access::kAllowed},
    {"our page changes, with its token",
     {.path = kApi,
      .changes = true,
      .origin = "http://localhost:8025",
      .fetch_site = "same-origin",
      .token = "secret-token"},
     Access::kAllowed},
    {"our page changes, without", {.path = kApi, .changes = true, .fetch_site = "same-origin"}, Access::kNoToken},
    {"our page changes, with another",
     {.path = kApi, .changes = true, .fetch_site = "same-origin", .token = "secret-tokem"},
     Access::kNoToken},
    {"the beginning of the token",
     {.path = kApi, .changes = true, .fetch_site = "same-origin", .token = "secret"},
     Access::kNoToken},
    {"typed into the address line", {.path = kApi, .fetch_site = "none"}, Access::kAllowed},
    {"another site's script",
     {.path = kApi, .origin = "http://evil.test", .fetch_site = "cross-site"},
     Access::kOtherSite},
    {"another site's, of a browser without Sec-Fetch-Site",
     {.path = kApi, .origin = "http://evil.test"},
     Access::kOtherSite},
    {"another port of this machine", {.path = kApi, .origin = "http://localhost:3000"}, Access::kOtherSite},
    {"another port, which is the same site", {.path = kApi, .fetch_site = "same-site"}, Access::kOtherSite},
    {"the same name, without Sec-Fetch-Site", {.path = kApi, .origin = "http://LOCALHOST:8025"}, Access::kAllowed},
    {"a sandboxed frame", {.path = kApi, .origin = "null"}, Access::kOtherSite},
    {"another site knows the token",
     {.path = kApi, .changes = true, .origin = "http://evil.test", .fetch_site = "cross-site", .token = "secret-token"},
     Access::kOtherSite},
    {"a link to the page", {.path = "/", .fetch_site = "cross-site", .fetch_mode = "navigate"}, Access::kAllowed},
    {"the page, asked for by a page that says where it comes from",
     {.path = "/", .origin = "http://evil.test", .fetch_site = "cross-site", .fetch_mode = "navigate"},
     Access::kOtherSite},
    {"a link to the API", {.path = kApi, .fetch_site = "cross-site", .fetch_mode = "navigate"}, Access::kOtherSite},
    {"a form that is sent to the page",
     {.path = "/", .changes = true, .origin = "http://evil.test", .fetch_site = "cross-site", .fetch_mode = "navigate"},
     Access::kOtherSite},
    {"the page, read by another site's script",
     {.path = "/", .fetch_site = "cross-site", .fetch_mode = "no-cors"},
     Access::kOtherSite},
    {"a picture of a message, in its frame",
     {.path = kPart, .fetch_site = "cross-site", .fetch_mode = "no-cors", .fetch_dest = "image"},
     Access::kAllowed},
    {"the same by a script", {.path = kPart, .fetch_site = "cross-site", .fetch_dest = "empty"}, Access::kOtherSite},
    {"a picture that is the list",
     {.path = kApi, .fetch_site = "cross-site", .fetch_dest = "image"},
     Access::kOtherSite},
    {"a picture that changes something",
     {.path = kPart, .changes = true, .fetch_site = "cross-site", .fetch_dest = "image"},
     Access::kOtherSite},
};

struct PasswordCase {
  Header authorization;
  Access result;
};

const PasswordCase kPasswords[] = {
    {"Basic YW5uOmNvcnJlY3QgaG9yc2U=", Access::kAllowed},     // ann:correct horse
    {"Basic OmNvcnJlY3QgaG9yc2U=", Access::kAllowed},         // :correct horse
    {"Basic YW5uOndyb25n", Access::kNoPassword},              // ann:wrong
    {"Basic YW5uOmNvcnJlY3QgaG9yc2Vz", Access::kNoPassword},  // ann:correct horses
    {"Basic YW5uOg==", Access::kNoPassword},                  // ann:
    {"Basic Y29ycmVjdCBob3JzZQ==", Access::kNoPassword},      // correct horse
    {"Basic ", Access::kNoPassword},
    {"Basic !!!!", Access::kNoPassword},
    {"Bearer YW5uOmNvcnJlY3QgaG9yc2U=", Access::kNoPassword},
    {"", Access::kNoPassword},
    {std::nullopt, Access::kNoPassword},
};

}  // namespace

TEST_CASE("a name in Host is ours, or an address, or it is refused") {
  for (const HostCase& one : kHosts) {
    CAPTURE(one.host.value_or("(none)"));
    CHECK(check_access(kOpen, {.path = kApi, .host = one.host}) == one.result);
  }
}

TEST_CASE("what comes from a browser comes from our own page") {
  for (const BrowserCase& one : kBrowsers) {
    CAPTURE(one.what);
    CHECK(check_access(kOpen, with_host(one.asked)) == one.result);
  }
}

TEST_CASE("a password is asked for on top of all that") {
  for (const PasswordCase& one : kPasswords) {
    CAPTURE(one.authorization.value_or("(none)"));
    CHECK(check_access(kLocked, {.path = kApi, .host = "localhost", .authorization = one.authorization}) == one.result);
  }
  const Header right = kPasswords[0].authorization;
  CHECK(check_access(kLocked, {.path = kApi, .host = "evil.test", .authorization = right}) == Access::kWrongHost);
  CHECK(check_access(kLocked,
                     {.path = kApi, .host = "localhost", .origin = "http://evil.test", .authorization = right}) ==
        Access::kOtherSite);
}
