// Every wording that we send, whole reply lines as they cross the wire. Where tcllib smtpd had a wording for the same
// case its text is kept. Replies with a part that varies are made in reply.h and session.cc.

#pragma once

#include <string_view>

namespace hooksmtpd::smtp::replies {

using namespace std::string_view_literals;

// What went well.
inline constexpr auto kOk = "250 2.0.0 OK\r\n"sv;
inline constexpr auto kSenderOk = "250 2.1.0 OK\r\n"sv;
inline constexpr auto kRecipientOk = "250 2.1.5 OK\r\n"sv;
inline constexpr auto kStartData = "354 Enter mail, end with \".\" on a line by itself\r\n"sv;
inline constexpr auto kStartTls = "220 2.0.0 Ready to start TLS\r\n"sv;
inline constexpr auto kAuthenticated = "235 2.7.0 Authentication successful\r\n"sv;
inline constexpr auto kCannotVerify = "252 2.1.5 Cannot verify a user, but will take a message for one\r\n"sv;

// Lines and commands.
inline constexpr auto kBareLf = "500 5.5.2 lines must end with CRLF (nc -C)\r\n"sv;
inline constexpr auto kLineTooLong = "500 5.5.2 Line too long\r\n"sv;
inline constexpr auto kNotPrintable = "500 5.5.2 A command is printable ASCII\r\n"sv;
inline constexpr auto kUnknownCommand = "500 5.5.1 Invalid command\r\n"sv;
inline constexpr auto kNoExpn = "502 5.5.1 EXPN: there are no lists here\r\n"sv;
inline constexpr auto kNoParameters = "501 5.5.4 Syntax error (no parameters allowed)\r\n"sv;
inline constexpr auto kNeedsArgument = "501 5.5.4 Syntax error: an argument is missing\r\n"sv;
// No enhanced code: RFC 2034 §4 has none in replies to EHLO and HELO.
inline constexpr auto kBadHelo = "501 Syntax error: a host name or [address] is expected\r\n"sv;
inline constexpr auto kBadMail = "501 5.5.4 Syntax error: MAIL FROM:<address> is expected\r\n"sv;
inline constexpr auto kBadBdat = "501 5.5.4 Syntax error: BDAT octets [LAST] is expected\r\n"sv;
inline constexpr auto kBadRcpt = "501 5.5.4 Syntax error: RCPT TO:<address> is expected\r\n"sv;

// Order (§4.1.4).
inline constexpr auto kBadSequence = "503 5.5.1 bad sequence of commands\r\n"sv;
inline constexpr auto kHeloFirst = "503 5.5.1 bad sequence of commands: EHLO or HELO first\r\n"sv;
inline constexpr auto kNestedMail = "503 5.5.1 bad sequence of commands: a sender is already specified\r\n"sv;
inline constexpr auto kNoSender = "503 5.5.1 bad sequence: no sender specified\r\n"sv;
inline constexpr auto kLhloFirst = "503 5.5.1 bad sequence of commands: LHLO first\r\n"sv;
inline constexpr auto kTlsTwice = "503 5.5.1 bad sequence of commands: TLS is active already\r\n"sv;
inline constexpr auto kAuthTwice = "503 5.5.1 bad sequence of commands: already authenticated\r\n"sv;
inline constexpr auto kInTransaction = "503 5.5.1 bad sequence of commands: not during a mail transaction\r\n"sv;
inline constexpr auto kChunksBegun =
    "503 5.5.1 bad sequence of commands: BDAT has begun, BDAT or RSET comes next\r\n"sv;
inline constexpr auto kBinaryNeedsBdat = "503 5.5.1 bad sequence of commands: BODY=BINARYMIME needs BDAT\r\n"sv;
inline constexpr auto kNoRecipient = "503 5.5.1 bad sequence: no recipient specified\r\n"sv;

// Encryption and authentication (RFC 3207 §4, RFC 4954 §6).
inline constexpr auto kTlsFirst = "530 5.7.0 Must issue a STARTTLS command first\r\n"sv;
inline constexpr auto kNoTlsNow = "454 4.7.0 TLS not available due to temporary reason\r\n"sv;
inline constexpr auto kAuthFirst = "530 5.7.0 Authentication required\r\n"sv;
inline constexpr auto kAuthNeedsTls = "538 5.7.11 Encryption required for requested authentication mechanism\r\n"sv;
inline constexpr auto kUnknownMechanism = "504 5.5.4 Authentication mechanism not known or not offered\r\n"sv;
inline constexpr auto kBadBase64 = "501 5.5.2 Authentication refused: the response is not base64\r\n"sv;
inline constexpr auto kBadResponse = "501 5.5.2 Authentication refused: not what the mechanism expects\r\n"sv;
inline constexpr auto kAuthLineTooLong = "500 5.5.6 Authentication Exchange line is too long\r\n"sv;
inline constexpr auto kAuthCancelled = "501 5.7.0 Authentication cancelled\r\n"sv;
inline constexpr auto kAuthRefused = "535 5.7.8 Authentication credentials invalid\r\n"sv;
inline constexpr auto kNoAuthNow = "454 4.7.0 Temporary authentication failure\r\n"sv;

// Addresses and parameters.
inline constexpr auto kBadSender = "501 5.1.7 Bad sender address\r\n"sv;
inline constexpr auto kBadRecipient = "501 5.1.3 Bad recipient address\r\n"sv;
inline constexpr auto kSenderNoDomain = "501 5.1.7 Bad sender address: it has no @domain\r\n"sv;
inline constexpr auto kRecipientNoDomain = "501 5.1.3 Bad recipient address: it has no @domain\r\n"sv;
inline constexpr auto kSenderTooLong = "501 5.1.7 Path too long\r\n"sv;
inline constexpr auto kRecipientTooLong = "501 5.1.3 Path too long\r\n"sv;
inline constexpr auto kSenderNeedsUtf8 = "550 5.6.7 The sender is not ASCII, and SMTPUTF8 was not asked for\r\n"sv;
inline constexpr auto kRecipientNeedsUtf8 =
    "553 5.6.7 The recipient is not ASCII, and SMTPUTF8 was not asked for\r\n"sv;
inline constexpr auto kBadParameter = "501 5.5.4 Syntax error in a parameter\r\n"sv;
inline constexpr auto kParameterTwice = "501 5.5.4 A parameter is given twice\r\n"sv;
inline constexpr auto kUnknownParameter = "555 5.5.4 Parameter not known or not offered\r\n"sv;
inline constexpr auto kNoValue = "501 5.5.4 Syntax error: this parameter takes no value\r\n"sv;
inline constexpr auto kBadSize = "501 5.5.4 Syntax error: SIZE=octets is expected\r\n"sv;
inline constexpr auto kBadBody = "501 5.5.4 Syntax error: BODY=7BIT, 8BITMIME or BINARYMIME is expected\r\n"sv;
inline constexpr auto kBadRet = "501 5.5.4 Syntax error: RET=FULL or RET=HDRS is expected\r\n"sv;
inline constexpr auto kBadEnvid = "501 5.5.4 Syntax error: ENVID takes at most 100 characters of xtext\r\n"sv;
inline constexpr auto kBadSubmitter = "501 5.5.4 Syntax error: AUTH=<> or a mailbox as xtext is expected\r\n"sv;
inline constexpr auto kRequireTlsNeedsTls = "530 5.7.10 REQUIRETLS is for encrypted sessions: STARTTLS first\r\n"sv;
inline constexpr auto kBadBy = "501 5.5.4 Syntax error: BY=seconds;R or BY=seconds;N is expected\r\n"sv;
inline constexpr auto kByTooSoon = "501 5.5.4 BY: the time is shorter than EHLO said\r\n"sv;
inline constexpr auto kBadHoldFor = "501 5.5.4 Syntax error: HOLDFOR=seconds is expected\r\n"sv;
inline constexpr auto kBadHoldUntil = "501 5.5.4 Syntax error: HOLDUNTIL=2026-11-22T17:20:11Z is expected\r\n"sv;
inline constexpr auto kHoldTooLong = "501 5.5.4 The message cannot be held for so long: see EHLO\r\n"sv;
inline constexpr auto kTwoHolds = "501 5.5.4 HOLDFOR and HOLDUNTIL exclude each other\r\n"sv;
inline constexpr auto kBadPriority = "501 5.5.2 Syntax error: MT-PRIORITY takes -9 to 9\r\n"sv;
inline constexpr auto kBadNotify =
    "501 5.5.4 Syntax error: NOTIFY=NEVER or a list of SUCCESS, FAILURE and DELAY is expected\r\n"sv;
inline constexpr auto kBadOrcpt = "501 5.5.4 Syntax error: ORCPT=type;address as xtext is expected\r\n"sv;
inline constexpr auto kBadXclient = "501 5.5.4 Syntax error: XCLIENT NAME=value ... is expected, values as xtext\r\n"sv;

// Policy, where a hook named no code of its own (DESIGN.md section 6).
inline constexpr auto kSenderRefused = "553 5.1.8 Requested action not taken: mailbox name not allowed\r\n"sv;
inline constexpr auto kRecipientRefused = "553 5.1.1 Requested action not taken: mailbox name not allowed\r\n"sv;

// Limits (§4.5.3.1.10).
inline constexpr auto kTooManyRecipients = "452 4.5.3 Too many recipients\r\n"sv;
inline constexpr auto kTooMuchData = "552 5.3.4 Message exceeds the size limit\r\n"sv;
inline constexpr auto kTextLineTooLong = "500 5.6.0 Line too long: a text line has more than 1,000 octets\r\n"sv;
inline constexpr auto kBareLineEnd =
    "550 5.6.0 Message refused: a CR or LF stands alone, lines must end with CRLF\r\n"sv;

// The end of a connection. The host name stands between the code and the rest.
inline constexpr auto kIdle = "4.4.2 Idle for too long, closing transmission channel"sv;
inline constexpr auto kSlowCommand = "4.4.2 No end of the command line in time, closing transmission channel"sv;
inline constexpr auto kSlowData = "4.4.2 No more data in time and no CRLF.CRLF seen, closing transmission channel"sv;
inline constexpr auto kSlowChunk =
    "4.4.2 No more data in time and the chunk is not complete, closing transmission channel"sv;
inline constexpr auto kEndlessChunk = "4.7.0 No chunk can be so large, closing transmission channel"sv;
inline constexpr auto kTlsRefused = "4.7.0 This encryption will not do here, closing transmission channel"sv;
inline constexpr auto kTlsSpoken =
    "4.7.0 This port speaks SMTP in the clear first, not TLS, closing transmission channel"sv;
inline constexpr auto kHttpSpoken = "4.7.0 This is SMTP, not HTTP, closing transmission channel"sv;
inline constexpr auto kEndlessLine = "4.7.0 A line without end, closing transmission channel"sv;
inline constexpr auto kTooManyLogins = "4.7.0 Too many failed logins, closing transmission channel"sv;
inline constexpr auto kTooManyErrors = "4.7.0 Too many errors, closing transmission channel"sv;
inline constexpr auto kTooManyCommands = "4.7.0 Too many commands, closing transmission channel"sv;
inline constexpr auto kTooManyConnections = "4.3.2 Too many connections, try again later"sv;
inline constexpr auto kTooManyFromYou = "4.7.0 Too many connections from your address, try again later"sv;
inline constexpr auto kShuttingDown = "4.3.2 Service is stopping, closing transmission channel"sv;
inline constexpr auto kTryLater = "4.3.2 Service not available, closing transmission channel"sv;

}  // namespace hooksmtpd::smtp::replies
