// libFuzzer: any configuration file. What loads must travel to the worker unharmed and load again to the same, every
// setting must be printed as it is read, and no private key comes along with its certificate.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/load.h"
#include "config/reload.h"
#include "config/settings.h"

using namespace hooksmtpd::config;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FileText file{.name = "/etc/fuzz.toml", .text = std::string(reinterpret_cast<const char*>(data), size)};
  Request request;
  request.machine = {.hostname = "mail.test", .uid = 0, .environment = {}, .hooks = "/hooks"};
  const FileText both{.name = "/etc/both.pem",
                      .text =
                          "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
                          "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n"};
  const auto loaded = load_texts({&file, 1}, request, {&both, 1});
  if (!loaded) {
    if (loaded.error().empty() || to_string(loaded.error()).empty()) std::abort();
    return 0;
  }
  if (from_json(to_json(loaded->config)) != loaded->config) std::abort();
  for (const Certificate& certificate : loaded->config.tls.certificates) {
    if (certificate.chain.text.empty() || certificate.chain.text.find("SECRET") != std::string::npos) std::abort();
  }
  Config again = loaded->config;
  for (const Setting& setting : settings()) {
    if (!setting.set(again, setting.get(loaded->config))) std::abort();
  }
  if (again != loaded->config || compare(again, loaded->config) != Changes{}) std::abort();
  return 0;
}
