// Closed forms of pipeline time, one a schedule; the inside of pipeline.cpp.
//
// METHOD. A schedule is a graph of passes: a pass waits for the former one of its rank
// and for its input. The step takes as long as the graph's longest path, and for each
// schedule the longest path is one of a few: it fills the pipeline, keeps to the
// slowest rank (or, where sends cost latency, sweeps to and fro over ranks), and
// drains. Each function writes these down and takes the largest. Every term is a real
// path, so a form is low where a path is missing and never high but for rounding of
// sweeps; pipeline_test.cpp prints how far from the simulation.
//
// In all of them: p ranks, v chunks, m micro-batches; f, b, w as in StageTimes; a
// sender's own part of a send is inside f and b (`held`), the rest is `wire`.
#pragma once

#include "train/pipeline.hpp"

namespace headroom::train::form {

struct Line {
  int p = 1, v = 1, m = 1;
  StageTimes first, middle, last, first_inner, last_inner;  ///< with sends held
  double wire = 0;                                          ///< latency of a send after that
  double held = 0;                                          ///< seconds a send keeps its sender
  double paired = 1;
};

double gpipe(const Line& l);
double one_f_one_b(const Line& l);  ///< v == 1
double interleaved(const Line& l);  ///< v > 1
double zero_bubble_h1(const Line& l);
double zero_bubble_v(const Line& l);
double dualpipe(const Line& l);

}  // namespace headroom::train::form
