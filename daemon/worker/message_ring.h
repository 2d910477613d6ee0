// The messages that were accepted last, for `hooksmtpctl wait`: a test asks what came since it began, and waits for
// what is still to come.
//
// A cursor (cursor.h) is a place between two messages. A subscriber is told at once what came since its cursor, oldest
// first, and then each message as it is accepted:
//
//   {"what":"message","cursor":"5c1a…-18","time":"…","transaction":"c7f3a1-1","session":"c7f3a1","listener":"smtp",
//    "client":"192.0.2.7","user":"ann","from":"a@b.test","to":["c@d.test"],"size":1901,"subject":"raw, folding kept"}
//
// Where no hook has the event deliver nobody keeps what is in a message, and its subject is empty.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/worker/event.h"
#include "daemon/worker/subscriber.h"
#include "proto/mail/envelope.h"

namespace hooksmtpd::worker {

// A message for which the client was told 250.
struct AcceptedMessage {
  std::string_view transaction, session, listener, client, user;
  const mail::Envelope& envelope;
  std::uint64_t size = 0;
  std::string_view subject;  // what stands behind "Subject:", at most kMaxSubject octets
};

inline constexpr std::size_t kMaxSubject = 998;  // one line of RFC 5322 §2.1.1

// What stands behind the first "Subject:" of a message's header, folding kept; cut at kMaxSubject. `head` is how the
// message begins, trace headers included. Empty: there is none in it.
std::string subject_of_message(std::string_view head);

class MessageRing {
 public:
  inline static constexpr std::size_t kMaxKept = 1000;
  inline static constexpr std::size_t kMaxOctets = 4 * 1024 * 1024;  // of them; one with many recipients is long

  // Octets that may wait for a subscriber: all that is kept, and some more.
  inline static constexpr std::size_t kMaxQueued = 2 * kMaxOctets;

  // `start` names this worker: no other one has it.
  explicit MessageRing(std::string start) : start_(std::move(start)) {}

  void accepted(const AcceptedMessage& message);

  // Behind the newest message.
  std::string cursor() const { return cursor(sequence_); }
  // `since`: a cursor; empty: now. One of another worker, whose messages nobody knows any more: from the beginning.
  // The first line that the subscriber is told is {"ok":true,"cursor":"…","missed":n}: the place from which on it hears
  // of messages, and how many that came since the cursor are forgotten (which is not known of another worker's); or
  // {"ok":false,...}, and then nothing more: this is no cursor.
  void subscribe(std::unique_ptr<Subscriber> subscriber, std::string_view since);
  std::size_t subscribers() const { return subscribers_.size(); }
  // Octets of memory that the messages take.
  std::size_t memory() const;
  // Call it once per turn of the event loop.
  void end_of_turn();

 private:
  struct Kept {
    std::chrono::system_clock::time_point when;
    std::string members;  // of its line, but for the first ones
  };
  std::string line_of(std::uint64_t sequence, const Kept& kept) const;
  std::string cursor(std::uint64_t sequence) const;

  std::string start_;
  std::uint64_t sequence_ = 0;  // of the newest
  std::deque<Kept> kept_{};     // the newest at the back
  std::size_t octets_ = 0;      // of kept_
  std::vector<std::unique_ptr<Subscriber>> subscribers_{};
};

}  // namespace hooksmtpd::worker
