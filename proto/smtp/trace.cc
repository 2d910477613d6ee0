#include "proto/smtp/trace.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <cstddef>
#include <iterator>

namespace hooksmtpd::smtp {
namespace {

constexpr std::size_t kUsual = 512;  // octets: so long are nearly all of them

}  // namespace

std::string address_literal(std::string_view address) {
  if (address.contains(':')) return fmt::format(FMT_COMPILE("[IPv6:{}]"), address);
  if (address.find_first_not_of("0123456789.") != std::string_view::npos) return std::string(address);
  return fmt::format(FMT_COMPILE("[{}]"), address);
}

std::string trace_headers(const Trace& trace) {
  std::string text;
  text.reserve(kUsual);
  auto out = std::back_inserter(text);
  fmt::format_to(out, FMT_COMPILE("Return-Path: <{}>\r\n"), to_string(trace.envelope.reverse_path));
  fmt::format_to(out, FMT_COMPILE("Received: from {} ({})\r\n\tby {} with {} id {}"), trace.helo,
                 address_literal(trace.client_address), trace.hostname, trace.protocol, trace.transaction);
  if (trace.envelope.recipients.size() == 1) {
    fmt::format_to(out, FMT_COMPILE("\r\n\tfor <{}>"), to_string(trace.envelope.recipients.front().mailbox));
  }
  // RFC 8314 §4.3 has a clause for the cipher; the version and the key have none, and stand in a comment.
  if (trace.tls) {
    fmt::format_to(out, FMT_COMPILE("\r\n\ttls {} ({}, {} bits)"), trace.tls->cipher, trace.tls->version,
                   trace.tls->bits);
  }
  fmt::format_to(out, FMT_COMPILE(";\r\n\t{}\r\n"), format_date(trace.now));
  return text;
}

}  // namespace hooksmtpd::smtp
