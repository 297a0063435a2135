#include "cooling/time_blocks.hpp"

#include <algorithm>

namespace headroom::cooling {
namespace {

constexpr std::size_t most_known = 2;  // conditions whose steps are kept, a block
constexpr double still_k_s = 1e-9 / 3600;

/// The entry for this condition, or the oldest made new.
template <class Known, class Flow, class Make>
Known* recall(std::vector<std::unique_ptr<Known>>& known, std::size_t& next, const Flow& flow,
              const LoopDrive& drive, Make&& make) {
  for (const auto& k : known) {
    if (k->flow == flow && k->basin_rate == drive.basin_rate && k->follows == drive.follows_basin)
      return k.get();
  }
  if (known.size() < most_known) known.push_back(std::make_unique<Known>());
  Known& k = *known[next];
  next = (next + 1) % most_known;
  k.flow = flow, k.basin_rate = drive.basin_rate, k.follows = drive.follows_basin;
  make(k);
  return &k;
}

template <class Shape>
bool is_still(const Square<Shape::n>& a, const Row<Shape::n>& x, const Row<Shape::n>& u) {
  for (std::size_t i = 0; i < Shape::n; ++i) {
    double rate = u[i];
    for (std::size_t j = 0; j <= Shape::last[i]; ++j) rate += a[i][j] * x[j];
    if (std::abs(rate) > still_k_s) return false;
  }
  return true;
}

}  // namespace

// --- CDU ------------------------------------------------------------------------

Square<6> CduBlock::matrix(const LoopDrive& drive) const {
  Square<6> a{};
  const auto& f = flow_;
  const auto& c = store_;
  const double g = f.plates;
  a[basin][basin] = -drive.basin_rate;
  a[in][basin] = f.water * drive.follows_basin / c.in;
  a[in][in] = -f.water / c.in;
  a[chip][chip] = -g / c.chip;
  if (f.boils) {
    a[chip][coolant] = g / c.chip;
    a[coolant][chip] = g / c.coolant;
    a[coolant][coolant] = -(g + f.cdu) / c.coolant;
    a[coolant][in] = f.cdu / c.coolant;
  } else {
    a[chip][coolant] = a[chip][supply] = g / 2 / c.chip;
    a[coolant][chip] = g / c.coolant;
    a[coolant][coolant] = -(g / 2 + f.hot) / c.coolant;
    a[coolant][supply] = (f.hot - g / 2) / c.coolant;
    a[supply][coolant] = (f.hot - f.cdu) / c.supply;
    a[supply][supply] = -f.hot / c.supply;
    a[supply][in] = f.cdu / c.supply;
  }
  a[back][in] = (f.water - f.cdu) / c.back;
  a[back][coolant] = f.cdu / c.back;
  a[back][back] = -f.water / c.back;
  return a;
}

Square<2> CduBlock::pair_matrix() const {
  const double g = flow_.plates;
  Square<2> a{};
  a[0][0] = -g / store_.chip;
  a[0][1] = (flow_.boils ? g : g / 2) / store_.chip;
  a[1][0] = g / store_.coolant;
  // Vapour is the same everywhere in the tank: a rack's own is taken by its share of the condenser.
  a[1][1] = -(flow_.boils ? g + flow_.cdu : g / 2 + flow_.hot) / store_.coolant;
  return a;
}

void CduBlock::condition(const Flow& flow, const Heat& heat, const LoopDrive& drive, double dt) {
  flow_ = flow, heat_ = heat, drive_ = drive;
  x_[basin] = drive.basin_off_k;
  u_.fill(0);
  u_[in] = flow.water * drive.hold_c / store_.in;
  u_[chip] = heat.chips_w / store_.chip;
  u_[coolant] = heat.coolant_w / store_.coolant;
  if (now_ != nullptr && now_->flow == flow && now_->basin_rate == drive.basin_rate &&
      now_->follows == drive.follows_basin)
    return;
  now_ = recall(known_, next_, flow, drive, [&](Known& k) {
    k.mean = Ladder<Shape>(matrix(drive), dt);
    k.pair = Ladder<Pair>(pair_matrix(), dt);
  });
}

bool CduBlock::still() const {
  // The basin matters only where the branch follows it.
  if (drive_.follows_basin != 0) return is_still<Shape>(matrix(drive_), x_, u_);
  auto x = x_;
  x[basin] = 0;
  return is_still<Shape>(matrix(drive_), x, u_);
}

Row<6> CduBlock::steady() const {
  Row<6> s = x_;
  const double heat = heat_.chips_w + heat_.coolant_w;
  s[basin] = 0;
  if (flow_.cdu <= 0 || flow_.water <= 0) return s;
  s[in] = drive_.hold_c + std::max(0.0, drive_.follows_basin * drive_.basin_off_k);
  s[coolant] = s[in] + heat / flow_.cdu;
  s[supply] = flow_.boils || flow_.hot <= 0 ? s[coolant] : s[coolant] - heat / flow_.hot;
  s[chip] = (s[supply] + s[coolant]) / 2 + heat_.chips_w / flow_.plates;
  s[back] = s[in] + heat / flow_.water;
  return s;
}

BlockFlow CduBlock::advance(std::uint32_t steps) {
  const Row<6> before = x_;
  Row<6> area{};
  now_->mean.advance(x_, u_, steps, area);
  if (flow_.boils) x_[supply] = x_[coolant];
  const double h = steps * now_->mean.dt();
  BlockFlow out;
  const double entered = drive_.hold_c * h + drive_.follows_basin * area[basin];
  out.to_loop_j = flow_.water * (area[back] - entered);
  out.stored_j = store_.in * (x_[in] - before[in]) + store_.chip * (x_[chip] - before[chip]) +
                 store_.coolant * (x_[coolant] - before[coolant]) +
                 store_.back * (x_[back] - before[back]);
  if (!flow_.boils) out.stored_j += store_.supply * (x_[supply] - before[supply]);
  return out;
}

Row<2> CduBlock::difference(double more_w) const {
  const auto a = pair_matrix();
  const double drive = more_w / store_.chip;
  const double det = a[0][0] * a[1][1] - a[0][1] * a[1][0];
  if (det == 0) return {0, 0};
  return {-a[1][1] * drive / det, a[1][0] * drive / det};
}

void CduBlock::approach(double& chip_k, double& coolant_k, const Row<2>& aim,
                        std::uint32_t steps) const {
  Row<2> off{chip_k - aim[0], coolant_k - aim[1]};
  now_->pair.decay(off, steps);
  chip_k = aim[0] + off[0], coolant_k = aim[1] + off[1];
}

// --- Hall -----------------------------------------------------------------------

void HallBlock::start(const Store& store, double air_c, double water_c) {
  store_ = store;
  x_.fill(air_c);
  x_[basin] = 0;
  x_[in] = x_[back] = water_c;
}

Square<8> HallBlock::matrix(const LoopDrive& drive) const {
  Square<8> a{};
  const auto& f = flow_;
  const auto& c = store_;
  const double air = c.air / 2, mass = c.mass / 2, film = c.mass_w_k / 2, g = c.server_w_k;
  a[basin][basin] = -drive.basin_rate;
  a[in][basin] = f.water * drive.follows_basin / c.in;
  a[in][in] = -f.water / c.in;
  a[server][server] = -g / c.server;
  a[server][hot] = a[server][cold] = g / 2 / c.server;
  a[hot][server] = g / air;
  a[hot][hot] = -(f.air + film + g / 2) / air;
  a[hot][cold] = (f.air - g / 2) / air;
  a[hot][hot_mass] = film / air;
  a[cold][hot] = (f.air * (1 - f.carried) - f.coil) / air;
  a[cold][cold] = -(f.air + film) / air;
  a[cold][cold_mass] = film / air;
  a[cold][in] = f.coil / air;
  a[cold_mass][cold] = film / mass, a[cold_mass][cold_mass] = -film / mass;
  a[hot_mass][hot] = film / mass, a[hot_mass][hot_mass] = -film / mass;
  a[back][in] = (f.water - f.coil) / c.back;
  a[back][hot] = f.coil / c.back;
  a[back][back] = -f.water / c.back;
  return a;
}

void HallBlock::condition(const Flow& flow, const Heat& heat, const LoopDrive& drive, double dt) {
  flow_ = flow, heat_ = heat, drive_ = drive;
  x_[basin] = drive.basin_off_k;
  u_.fill(0);
  u_[in] = flow.water * drive.hold_c / store_.in;
  u_[server] = heat.servers_w / store_.server;
  u_[hot] = heat.hot_w / (store_.air / 2);
  u_[cold] = flow.air * flow.carried * flow.carried_c / (store_.air / 2);
  now_ = recall(known_, next_, flow, drive,
                [&](Known& k) { k.mean = Ladder<Shape>(matrix(drive), dt); });
}

bool HallBlock::still() const {
  auto x = x_;
  if (drive_.follows_basin == 0) x[basin] = 0;
  return is_still<Shape>(matrix(drive_), x, u_);
}

BlockFlow HallBlock::advance(std::uint32_t steps) {
  const Row<8> before = x_;
  Row<8> area{};
  now_->mean.advance(x_, u_, steps, area);
  const double h = steps * now_->mean.dt();
  BlockFlow out;
  const double entered = drive_.hold_c * h + drive_.follows_basin * area[basin];
  out.to_loop_j = flow_.water * (area[back] - entered);
  out.carried_j = flow_.air * flow_.carried * (area[hot] - flow_.carried_c * h);
  const auto kept = [&](State s, double capacity) {
    out.stored_j += capacity * (x_[s] - before[s]);
  };
  kept(in, store_.in), kept(back, store_.back), kept(server, store_.server);
  kept(hot, store_.air / 2), kept(cold, store_.air / 2);
  kept(cold_mass, store_.mass / 2), kept(hot_mass, store_.mass / 2);
  return out;
}

}  // namespace headroom::cooling
