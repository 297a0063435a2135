#include "infer/video.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "compute/kernel.hpp"
#include "infer/queue.hpp"
#include "workload/generation.hpp"
#include "workload/transformer.hpp"

namespace headroom::infer {

namespace {

constexpr double day_ceiling = 0.8;  // of the working day (assumed: clips come unevenly)
constexpr double deadline_percentile = 0.99;
constexpr double parallel_exponent = 0.1;        // loss of sequence parallelism a GPU (assumed)
constexpr double latent_bytes_per_channel = 34;  // live activations of a block, as Korthikanti 2022

struct VideoStudy {
  VideoStudy(const VideoSpec& s, const VideoDemand& d, Trace& t)
      : spec(s), demand(d), book(t, d.scope) {}
  void record();
  void times();
  void fleet();
  Response visit(double groups) const;
  std::string noun() const { return r.picture ? "picture" : "clip"; }
  void limits();
  void memory_limit();

  const VideoSpec& spec;
  const VideoDemand& demand;
  Book book;
  VideoResult r;
  workload::ClipRequest request;
  Figure<Scalar> clips, mfu;
  Figure<Time> length, day_length;
  Precision precision = Precision::bf16;
  std::vector<NodeId> sized_by;  ///< what the size of one depends on
  NodeId model_node = no_node, device_node = no_node;
};

int whole(const Value<Scalar>& v) {
  return v ? static_cast<int>(std::clamp(v.get().si(), 0.0, 1e6)) : 0;
}

void VideoStudy::record() {
  const auto& diffusion = demand.model->diffusion;
  model_node = book.choice("model", demand.model->id);
  device_node = book.choice("accelerator", demand.hardware.accelerator->id);
  precision = spec.precision.or_else(Precision::bf16);
  r.picture = spec.frames == 1 || demand.model->family == catalog::ModelFamily::diffusion_image;
  mfu = book.input("mfu",
                   spec.mfu.or_else(Value<Scalar>(
                       0.30, 0.40, 0.55, assumed("diffusion transformers on data-centre GPUs"))),
                   "%");
  day_length = book.input(
      "working-day",
      spec.working_day.or_else(Value<Time>(24 * hour, assumed("clips are made around the clock"))),
      "h");
  if (spec.rate) {
    const auto rate = book.input("rate", spec.rate, "1/s");
    clips = book.derive("clips-per-day", Scalar(rate.value.si() * day_length.value.si()), "",
                        "rate x working day", {rate, day_length});
  } else {
    clips = book.input("clips-per-day",
                       spec.clips.or_else(Value<Scalar>(0.0, assumed("no clips given"))), "");
  }
  const Rate frames = spec.frame_rate.or_else(diffusion.frame_rate.or_else(Rate{}));
  request.width = whole(spec.width);
  request.height = whole(spec.height);
  request.steps = whole(spec.steps);
  request.frames = r.picture ? 1 : spec.frames;
  sized_by = {model_node};
  if (r.picture) return;
  if (spec.frames > 0 && frames.si() > 0) {
    length =
        book.input("clip-length", Value<Time>(spec.frames / frames, published("scenario")), "s");
  } else {
    length = book.input("clip-length",
                        spec.clip.or_else(Value<Time>(5 * second, assumed("clips of 5 s"))), "s");
  }
  sized_by.push_back(length.node);
  // A causal video autoencoder wants one frame more than a multiple of its compression.
  if (spec.frames == 0 && frames.si() > 0) {
    request.frames =
        1 + static_cast<int>(std::lround(std::min<double>(length.value * frames, 1e6)));
  }
}

void VideoStudy::times() {
  r.clip_flops = book.derive("clip-flops", workload::clip_flops(*demand.model, request), "PFLOP",
                             "steps x passes x (2 x weights x tokens + attention)", sized_by);
  const double g = std::max(spec.gpus_per_clip, 1);
  const auto& device = *demand.hardware.accelerator;
  const auto peak = book.derive("peak", compute::peak(device, precision), "TFLOP/s",
                                "dense peak in " + std::string(name(precision)), {device_node});
  const double rate = std::max(peak.value.si() * mfu.value.si(), 1.0);
  const double scaling = std::pow(g, -parallel_exponent);
  const double one = r.clip_flops.value.si() / rate;
  r.clip_time = book.derive("clip-time", one / (g * scaling) * second, "s",
                            "FLOPs / (GPUs x peak x MFU x scaling)", {r.clip_flops, peak, mfu});
  r.gpu_seconds = book.derive("gpu-seconds", Scalar(one / scaling), "",
                              "clip time x GPUs of a clip", {r.clip_time});
  if (r.picture) return;
  r.gpu_seconds_per_second = book.derive(
      "gpu-seconds-per-second", Scalar(r.gpu_seconds.value / std::max(length.value.si(), 1e-9)), "",
      "GPU-seconds / length of the clip", {r.gpu_seconds, length});
}

/// Of one that arrives at random when so many groups of GPUs work.
Response VideoStudy::visit(double groups) const {
  const double rate = spec.rate.get().si(), each = r.clip_time.value.si();
  const double load = rate * each / groups;
  Response v;
  v.fixed = each;
  v.wait_mean = sakasegawa_wait(groups, load, each, 1, 0);
  v.busy = wait_chance(groups, load);
  return v;
}

void VideoStudy::fleet() {
  const double g = std::max(spec.gpus_per_clip, 1);
  const double work = clips.value.si() * r.gpu_seconds.value.si();
  const double each = std::max(day_length.value.si() * day_ceiling, 1.0);
  double groups = std::max(1.0, std::ceil(work / each / g - 1e-9));
  if (spec.rate && spec.deadline && r.clip_time.value < spec.deadline.get()) {
    // The wait falls to nothing, so an end is near: sqrt(load) groups beyond the load, or so.
    const double most = 2 * groups + 1000;
    while (groups < most && !visit(groups).within(spec.deadline.get().si(), deadline_percentile))
      groups += 1;
  }
  r.gpus_needed =
      book.derive("gpus-needed", Scalar(g * groups), "GPU",
                  spec.rate && spec.deadline
                      ? "clips a day x GPU-seconds / (working day x 80 %, assumed), and as many "
                        "as keep p99 of wait and making inside the deadline"
                      : "clips a day x GPU-seconds / (working day x 80 %, assumed)",
                  {clips, r.gpu_seconds, day_length});
  const double had = demand.hardware.gpus ? std::max(demand.hardware.gpus->value.si(), g)
                                          : r.gpus_needed.value.si();
  r.busy =
      book.derive("busy", Scalar(std::min(work / (had * 86400), 1.0)), "%",
                  "GPU-seconds of a day / (GPUs x 24 h)", {clips, r.gpu_seconds, r.gpus_needed});
  if (spec.rate) {
    const double running = std::max(1.0, std::floor(had / g));
    const bool carried = spec.rate.get().si() * r.clip_time.value.si() < running;
    r.response = book.derive(
        "response",
        (carried ? visit(running).quantile(deadline_percentile) : day_length.value.si()) * second,
        "s", "clip time + wait for GPUs at p99; the working day where they cannot follow",
        {r.clip_time, clips, r.gpus_needed});
  }
  const auto& device = *demand.hardware.accelerator;
  r.energy_per_clip =
      book.derive("energy-per-clip", gpu_power(device, 1, 0) * (r.gpu_seconds.value.si() * second),
                  "kWh", "GPU-seconds x maximum power", {r.gpu_seconds, device_node});
  r.accelerator_power = book.derive("accelerator-power", had * gpu_power(device, r.busy.value, 0),
                                    "kW", "GPUs x (busy x maximum + idle)", {r.busy, device_node});
}

void VideoStudy::limits() {
  if (demand.hardware.gpus) {
    auto m = make_margin(book.id("gpus"), "GPUs for " + noun() + "s, " + demand.scope,
                         r.gpus_needed, *demand.hardware.gpus, "GPU")
                 .because(amount(clips.value.si(), noun() + "s a day", 7) + " at " +
                          amount(r.gpu_seconds.value.si(), "GPU-seconds") + " each.");
    if (m.headroom() < 0.1) {
      const double more = r.gpus_needed.value.si() - demand.hardware.gpus->value.si();
      if (more > 0) m.remedies.push_back({"add " + amount(more, "GPUs", 6), {}, {}, {}});
      m.remedies.push_back(
          {"halve the denoising steps (a distilled sampler): half the GPUs", {}, {}, {}});
    }
    r.findings.margins.push_back(std::move(m));
  }
  if (spec.deadline) {
    const auto have = book.input("deadline", spec.deadline, "s");
    const bool waits = spec.rate && r.response.value > 1.001 * r.clip_time.value;
    auto m =
        make_margin(book.id("deadline"), "time for a " + noun() + ", " + demand.scope,
                    spec.rate ? r.response : r.clip_time, have, "s")
            .because(format(r.clip_flops.value, "PFLOP") + " on " +
                     std::to_string(spec.gpus_per_clip) + " GPU(s)" +
                     (waits ? ", " + format(r.clip_time.value, "s") + "; the rest is wait." : "."));
    if (m.headroom() < 0.1 && r.clip_time.value > 0.9 * have.value) {
      const double ratio = r.clip_time.value / have.value;
      const double g = std::ceil(spec.gpus_per_clip * std::pow(ratio, 1 / (1 - parallel_exponent)));
      m.remedies.push_back({"work on a " + noun() + " with " + amount(g, "GPUs", 4), {}, {}, {}});
    }
    r.findings.margins.push_back(std::move(m));
  }
}

void VideoStudy::memory_limit() {
  const auto& device = *demand.hardware.accelerator;
  if (!device.memory) return;
  const double g = std::max(spec.gpus_per_clip, 1);
  const double tokens = workload::clip_tokens(*demand.model, request).si();
  const auto need =
      book.derive("memory-needed",
                  workload::weight_bytes(*demand.model, {precision}) +
                      tokens * demand.model->hidden * latent_bytes_per_channel / g * byte,
                  "GB", "weights + tokens x hidden x 34 B / GPUs of a clip", sized_by);
  const auto memory = book.input("gpu-memory", device.memory, "GB");
  const auto have =
      book.derive("memory-usable", memory.value * 0.9, "GB", "GPU memory x 0.9", {memory});
  auto m = make_margin(book.id("memory"), "GPU memory, " + demand.scope, need, have, "GB")
               .because((r.picture ? "A picture is " : "A clip is ") +
                        amount(tokens, "latent tokens", 7) + ".");
  if (m.headroom() < 0.1) {
    m.remedies.push_back({"offload the text encoder, or spread a clip over more GPUs", {}, {}, {}});
  }
  r.findings.margins.push_back(std::move(m));
}

}  // namespace

VideoResult assess(const VideoSpec& spec, const VideoDemand& demand, Trace& trace) {
  VideoStudy study(spec, demand, trace);
  if (!demand.model || !demand.hardware.accelerator || !demand.model->is_diffusion()) {
    study.r.findings.remarks.push_back(demand.scope +
                                       ": no diffusion model or accelerator, clips not computed");
    return std::move(study.r);
  }
  study.record();
  study.times();
  study.fleet();
  study.limits();
  study.memory_limit();
  return std::move(study.r);
}

}  // namespace headroom::infer
