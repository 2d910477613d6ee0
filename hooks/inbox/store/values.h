// What the inbox keeps: values that the writer stores, the reader finds and the API shows.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hooksmtpd::inbox {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;
inline Time now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

// Of a header field, decoded.
struct Address {
  std::string name;     // may be empty
  std::string address;  // "ann@example.test"; whatever stood there, where it is none

  friend bool operator==(const Address&, const Address&) = default;
};
using Addresses = std::vector<Address>;

// What a message says of itself, as lists and searches need it. All of it valid UTF-8.
struct Digest {
  std::optional<Address> from;
  Addresses to, cc, bcc, reply_to;
  std::string subject;
  std::string message_id;  // without angle brackets
  std::optional<Time> date;
  std::string snippet;  // how its text begins, on one line
  std::string text;     // for the search: of the parts that are text, without markup, as far as it is searched
  std::vector<std::string> files;  // names of attachments
  std::uint32_t attachments = 0;
  std::string mailbox;            // that a hook chose for it; empty: none did
  std::vector<std::string> tags;  // that it came with
  bool html = false;              // some part of it is text/html
  bool broken = false;            // some part of it is not what it should be
};

// How a message came.
struct Arrival {
  std::string session;      // empty: it came over HTTP
  std::string transaction;  // the daemon's name for it
  std::string listener;
  std::string user;  // who had logged in
  bool tls = false;
  std::string from;  // the reverse-path; empty: the null one
  std::vector<std::string> to;
  std::uint32_t trace_headers = 0;  // fields in front that are the daemon's
};

struct Summary {
  std::string id;  // 32 hexadecimal digits that nobody can guess
  std::int64_t sequence = 0;
  Time received{};
  std::string mailbox;
  std::optional<Address> from;
  Addresses to, cc;
  std::string subject, snippet;
  std::uint64_t size = 0;  // octets
  std::uint32_t attachments = 0;
  bool unread = true;
  std::vector<std::string> tags{};  // in order
  bool injected = false;            // over HTTP
  bool tls = false;
  std::string user;
  bool broken = false;
  std::string message_id;
};

// All but its octets.
struct Message {
  Summary summary;
  Addresses bcc, reply_to;
  std::optional<Time> date;
  Arrival arrival;
};

enum class Outcome : std::uint8_t { kDelivered, kRefused, kBrokenOff, kNoMail };

// A session that is over.
struct Session {
  std::string id;
  std::int64_t sequence = 0;
  Time began{}, ended{};
  std::string client;  // "192.0.2.7:51514"
  std::string listener, helo, user;
  std::string tls;   // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty: none
  std::string from;  // of its last transaction,
  std::vector<std::string> to;
  std::vector<std::string> messages;  // ids of those that are still there
  Outcome outcome = Outcome::kNoMail;
  std::string reason;    // the reply that refused, "550 5.1.1 no such user"; empty: none did
  std::string hook;      // that decided so
  std::string dialogue;  // a JSON array (PROTOCOL.md, "disconnect"); in lists empty
};

struct Mailbox {
  std::string name;
  std::uint64_t messages = 0, unread = 0;
};

inline constexpr std::size_t kMaxTag = 100;  // octets of its name
struct Tag {
  std::string name;
  std::uint64_t messages = 0;
};

}  // namespace hooksmtpd::inbox
