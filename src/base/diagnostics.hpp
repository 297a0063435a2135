// Diagnostics: mistakes in input, collected, all of them in one pass.
//
// A Diagnostic names the place, the path of keys that leads there, what is
// wrong, and the nearest right thing. `render` prints it as compilers do:
//
//   rack.yaml:1:8: power.feed: '132 kWh' is an energy, expected a power (W, kW, MW)
//     1 | feed: 132 kWh
//       |       ^
//   hint: did you mean '132 kW'?
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace headroom {

struct Diagnostic {
  std::string file;
  int line = 0;      ///< 1-based; 0 when the mistake has no line (a missing file)
  int column = 0;    ///< 1-based
  std::string path;  ///< "clusters.gpu.count"
  std::string message;
  std::string hint;     ///< nearest right thing; may be empty
  std::string excerpt;  ///< the source line, when known
};

class Diagnostics {
 public:
  /// More mistakes than this are counted but not kept.
  static constexpr std::size_t limit = 200;

  void add(Diagnostic d);
  /// All of another list, those that it counted and did not keep too.
  void add(const Diagnostics& list);
  /// Orders what is kept by line and column, a file's mistakes together, files in
  /// the order in which they came up.
  void sort_by_place();
  bool empty() const { return kept_.empty(); }
  std::size_t count() const { return count_; }
  const std::vector<Diagnostic>& all() const { return kept_; }

 private:
  std::vector<Diagnostic> kept_;
  std::size_t count_ = 0;
};

/// One diagnostic as text for people, ending in a newline.
std::string render(const Diagnostic& d);
/// All of them, with a closing count.
std::string render(const Diagnostics& list);

/// The candidates nearest to `word` by edit distance, best first; none further
/// than a third of the word's length (1 for words of up to four letters). A
/// candidate that contains the word counts as one edit away.
std::vector<std::string> nearest(const std::string& word,
                                 const std::vector<std::string>& candidates, std::size_t most = 3);
/// "did you mean 'a' or 'b'?", or an empty string.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace headroom
