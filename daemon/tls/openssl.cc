#include "daemon/tls/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <array>
#include <stdexcept>

namespace hooksmtpd::tls {

void start_openssl() {
  if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1) {
    throw std::runtime_error("OpenSSL does not start: " + take_error());
  }
}

std::string take_error() {
  const char* data = nullptr;
  int flags = 0;
  const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags);
  std::string text;
  if (ERR_SYSTEM_ERROR(code)) {
    text = "system error";
  } else if (const char* const reason = ERR_reason_error_string(code)) {
    text = reason;
  }
  if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') {
    if (!text.empty()) text += ": ";
    text += data;
  }
  ERR_clear_error();
  return text.empty() ? "unknown error" : text;
}

BioPtr reading(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string written(BIO* memory) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace hooksmtpd::tls
