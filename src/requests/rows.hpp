// Rows: what a line of any trace told, checked and gathered into a Stream. The readers of the
// formats (csv_reader.cpp, json_reader.cpp, log_reader.cpp) parse; the rules for what a request
// may be stand here, once.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "requests/reader.hpp"
#include "requests/request.hpp"

namespace headroom::requests {

/// What a column or key means to a request.
enum class Role : unsigned char {
  none,
  arrival,  ///< date and time, or a number of `Field::seconds`
  prompt,
  output,
  hashes,
  delay,  ///< after the session's last answer
  session,
  model,
  traffic_class,
  region,  ///< where it comes from: its class becomes NAME@REGION
  adapter,
  priority,
  after,
  shared,
  shared_tokens,
  block_tokens,
  text,          ///< a prompt as text: tokens are estimated
  conversation,  ///< ShareGPT's list of turns: the first two are taken, as vLLM's bench does
  error,         ///< anything but null or empty: a failed request
  phase,         ///< "warmup": left out
  count
};

struct Field {
  std::string_view name;  ///< exactly as tools write it; case tells Azure from BurstGPT
  Role role = Role::none;
  double seconds = 0;       ///< unit of an arrival or delay
  std::string_view format;  ///< whose name it is; empty: several tools'
};

/// The field of a name, or nullptr.
const Field* find_field(std::string_view name);
/// Every known name of a role, in the table's order.
std::vector<std::string> names_of(Role role);

/// Characters of English text a token stands for: a rule of thumb (recalled, unverified), used
/// only where a file holds text and no counts.
inline constexpr double characters_a_token = 4.0;

/// A line of the file, for messages.
struct Line {
  const char* begin = nullptr;
  const char* end = nullptr;
  int number = 1;
};

struct Row {
  bool has(Role r) const { return at[static_cast<std::size_t>(r)] != nullptr; }
  const char* where(Role r) const { return at[static_cast<std::size_t>(r)]; }
  void set(Role r, const char* place) { at[static_cast<std::size_t>(r)] = place; }

  std::array<const char*, static_cast<std::size_t>(Role::count)> at{};  ///< where each stands
  bool exact = false;        ///< the time is `time_ns`, not `time_s`
  std::int64_t time_ns = 0;  ///< of an epoch
  double time_s = 0, delay_s = 0;
  std::int64_t prompt = 0, output = 0;
  std::int64_t after = -1, shared = -1, shared_tokens = 0, adapter = 0, priority = 0;
  std::string_view session, model, traffic_class, region;
  std::size_t first_hash = 0;  ///< into Stream::hashes
  bool failed = false;
};

/// Parsers of single values; false when the whole of `text` is not one.
bool parse_integer(std::string_view text, std::int64_t& value);  ///< also "374.0"
bool parse_number(std::string_view text, double& value);
/// "2023-11-16 18:15:46.6805900", also with T and Z or an offset: nanoseconds since 1970, UTC.
bool parse_time(std::string_view text, std::int64_t& ns);

class Rows {
 public:
  Rows(std::string file, std::string format, const ReadOptions& options);

  /// Counts a mistake of the row; `where` points into the line.
  void bad(const Line& line, const char* where, std::string_view path, std::string message,
           std::string hint = {});
  /// A mistake of the file as a whole, which `skip_bad` does not forgive.
  void broken(int line, std::string message, std::string hint = {});
  /// Checks the row and keeps it as a request.
  void add(const Row& row, const Line& line);
  void note(std::string text);

  bool full() const { return options_.most > 0 && stream_.requests.size() >= options_.most; }
  void reserve(std::size_t n) { stream_.requests.reserve(n); }
  Stream& stream() { return stream_; }
  const std::string& format() const { return format_; }
  /// Rows of results stand in the order of completion.
  void any_order() { sort_ = true; }
  void count_failed() { ++report_.rows, ++report_.failed; }

  Result<Stream> finish(ReadReport* report);

 private:
  struct Turn {
    std::uint32_t number = 0, last = no_request;
    std::int64_t context = 0;  ///< tokens of all turns so far
  };

  bool check_lengths(const Row& row, const Line& line);
  bool check_time(const Row& row, const Line& line, double& time_s);
  bool check_links(const Row& row, const Line& line);
  void continue_session(const Row& row, Request& request);
  void sort();
  void draw_arrivals();

  ReadOptions options_;
  std::string format_;
  Stream stream_;
  ReadReport report_;
  Diagnostics errors_;
  std::unordered_map<std::string, Turn> sessions_;
  std::vector<std::string> notes_;
  bool sort_ = false, timed_ = false, untimed_ = false, broken_ = false;
  double base_s_ = 0, last_s_ = 0;
  std::int64_t base_ns_ = 0;
  std::uint32_t biggest_group_ = 0;
};

/// Number of a name in a list; added at the end where it is new. The placeholder "default" of
/// an untouched list is replaced.
std::uint16_t intern(std::vector<std::string>& names, std::string_view name);

/// Hash of block `index` of a conversation whose context only grows.
std::uint64_t session_block(std::uint64_t session, std::uint64_t index);

void read_csv(std::string_view text, Rows& rows);
void read_json_lines(std::string_view text, Rows& rows);
void read_log(std::string_view text, Rows& rows);

/// The format a text is in, or an empty string.
std::string detect(std::string_view text);

}  // namespace headroom::requests
