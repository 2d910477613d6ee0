// When the local authority and its certificate are made, made anew, or left alone.

#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "daemon/tls/authority.h"

namespace hooksmtpd::tls {

// What is there, as PEM; empty where nothing is.
struct Files {
  std::string ca_certificate, ca_key;
  std::string certificate, key;

  friend bool operator==(const Files&, const Files&) = default;
};

struct Renewed {
  Files files;                 // whole: what was good is in it as it came
  bool new_authority = false;  // whoever trusted the one before must trust this one
  bool new_certificate = false;
  std::string why;                 // for people: "it expires on 2027-01-01"; empty: nothing is new
  std::vector<std::string> notes;  // what could not be had, and why
  // Nothing is made, as a file would have to be replaced that is somebody else's: which one, and the ways out.
  std::string refusal;
};

// A certificate is renewed when less than 30 days of it are left, when the host's names have changed, or when it does
// not fit its key or its authority. An authority lives until 30 days before its end: a name outside its constraints is
// left out, with a note, rather than that everybody must trust a new one. Its key is needed only where something is to
// be signed: where it was moved away nothing is renewed, with a note. What was not made here is never replaced. Throws
// std::runtime_error where OpenSSL fails.
Renewed renew(const Files& files, const HostNames& wanted, std::time_t now);

}  // namespace hooksmtpd::tls
