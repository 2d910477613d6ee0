// Everything that is wrong with a TLS configuration, found before anybody depends on it.

#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "config/config.h"
#include "config/load.h"
#include "daemon/sys/key_files.h"

namespace hooksmtpd::tls {

// An error is what Context::make() or the keyholder would fail with, or what no client could use. A warning is what a
// test may want: a certificate that has expired, names nobody, or stands in a chain out of order.
//
// `files`: the keys and password files that somebody tried to read. A key that is not among them is not judged; the
// keyholder will do it. Each problem's `where` is the certificate's place in the configuration.
std::vector<config::Problem> judge(const config::Tls& tls, std::span<const sys::KeyFile> files,
                                   std::chrono::system_clock::time_point now);

}  // namespace hooksmtpd::tls
