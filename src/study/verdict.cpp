#include "study/verdict.hpp"

#include <algorithm>

namespace headroom::study {

void rank(Verdict& verdict) {
  std::stable_sort(verdict.margins.begin(), verdict.margins.end(),
                   [](const Margin& a, const Margin& b) {
                     const double x = a.headroom();
                     const double y = b.headroom();
                     return x != y ? x < y : a.id < b.id;
                   });
  verdict.fits = std::all_of(verdict.margins.begin(), verdict.margins.end(),
                             [](const Margin& m) { return m.holds(); });
}

}  // namespace headroom::study
