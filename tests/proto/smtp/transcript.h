// A dialogue as a text file: what the client sends, what it must be told, what a hook is asked and answers.
//
//   # anything                  a comment
//   @ recipients = 2            a setting, before the dialogue
//   C: EHLO client.test         a line of the client; CRLF follows
//   C| a\nb\r\n                 the same without CRLF: \r \n \t \\ \xHH
//   S: 250 2.0.0 OK             what it is told
//   S~ 220 mail.test *; *       the same, where '*' stands for anything within the line
//   S* 250                      the rest of a reply of several lines, whatever it says
//   T:                          the TLS handshake, as soon as the client was told to begin it
//   H> {"event":"validate_sender","address":"a@b.test"}    a question; keys that are not named may be anything
//   H< {"action":"accept"}      its answer, directly behind it
//   M: Subject: x               a line of the message that the H> above delivers; M~ as S~
//
// Settings beside the limits: hooks (the events that one hook is asked about, in one word each), tls, protocol,
// lenient, hide, add, xclient as a listener has them, auth (its source, with ann and her password "secret"),
// auth_required, auth_before_tls.
//
// tests/transcripts/*.transcript are played against Session in memory (transcript_test.cc) and against the real daemon.

#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace hooksmtpd::tests {

struct Pattern {
  std::string text;
  bool glob = false;
  bool rest = false;  // of a reply: any lines of this code up to the last

  bool matches(std::string_view line) const;
};

struct Question {
  std::string expected;  // JSON
  std::string answer;    // JSON
  std::vector<Pattern> message;
};

struct Transcript {
  std::map<std::string, std::string> settings;
  std::string client;                   // every byte it sends
  std::vector<std::size_t> handshakes;  // how many of them before each
  std::vector<Pattern> server;
  std::vector<Question> questions;
};

// Throws std::runtime_error that names file and line.
Transcript read_transcript(const std::filesystem::path& file);

}  // namespace hooksmtpd::tests
