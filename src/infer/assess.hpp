// The assessments of this layer, in one place:
//   ServiceResult assess(const ServiceSpec&, const ServiceDemand&, Trace&)  service.hpp
//   RagResult     assess(const RagSpec&, const RagDemand&, Trace&)          rag.hpp
//   EmbedResult   assess(const EmbedSpec&, const EmbedDemand&, Trace&)      embed.hpp
//   VideoResult   assess(const VideoSpec&, const VideoDemand&, Trace&)      video.hpp
//   EdgeResult    assess(const EdgeSpec&, const EdgeDemand&, Trace&)        edge.hpp
#pragma once

#include "infer/edge.hpp"
#include "infer/embed.hpp"
#include "infer/rag.hpp"
#include "infer/service.hpp"
#include "infer/video.hpp"
