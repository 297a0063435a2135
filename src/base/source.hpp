// Where a number comes from.
//
// No number stands in a catalogue without a Source, and every Value carries an
// Origin: its source and the place (file, line, column) where it was written.
// "assumed" and "recalled" are legal, and every report shows them as what they
// are.
#pragma once

#include <memory>
#include <string>

namespace headroom {

/// How far a source may be trusted; ordered from best to worst.
enum class Trust : unsigned char {
  measured,   ///< measured by us or by a named party under stated conditions
  published,  ///< a data sheet, paper, filing, standard or price list that was read
  secondary,  ///< a named page or article that repeats somebody else's figure
  derived,    ///< computed from other sourced numbers, as the note says
  user,       ///< written by the user in the scenario
  assumed,    ///< our assumption, with its reason
  recalled,   ///< recalled, unverified: nobody has yet found it in a source
};

/// Name of a trust level as shown to people ("recalled, unverified").
const char* trust_name(Trust trust);

struct Source {
  std::string key;    ///< short name used in catalogue files, or the scenario's file name
  std::string title;  ///< document, table or page; for an assumption its reason
  std::string url;    ///< address where one is known
  std::string date;   ///< when it was published or read (YYYY, YYYY-MM or YYYY-MM-DD)
  Trust trust = Trust::published;
};

using SourcePtr = std::shared_ptr<const Source>;

/// A source together with the place where the number stands.
struct Origin {
  SourcePtr source;
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;
};

/// A source for a default that stands in our own code or field list.
SourcePtr assumed(std::string reason);
SourcePtr published(std::string title, std::string date = {}, std::string url = {});
SourcePtr recalled(std::string title);

/// "NVIDIA DGX H100 user guide (2023-05)", "assumed: ...", "recalled, unverified: ...".
std::string describe(const Source& source);

/// "llama3-405b.yaml:12:9", or an empty string when the place is unknown.
std::string place(const Origin& origin);

}  // namespace headroom
