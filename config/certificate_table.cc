#include <fmt/format.h>

#include "config/forms.h"
#include "config/tables.h"

namespace hooksmtpd::config {

Certificate read_certificate(Page& page, const toml::table& table) {
  Section section(page, table, "tls.sni", kCertificateKeys);
  if (section.find("certificate") == nullptr) {
    page.problem(table.source(),
                 "tls.sni.certificate is missing, as in certificate = \"/etc/hooksmtpd/tls/other.pem\"");
  }
  const auto file = [&](std::string_view key, auto form) {
    return section.value(key, form.kSpelling, form.parse).value_or(std::filesystem::path());
  };
  return {.chain = {.file = file("certificate", form::File())},
          .key = file("key", form::File()),
          .key_password_file = file("key_password_file", form::PasswordFile()),
          .source = page.at(table.source())};
}

}  // namespace hooksmtpd::config
