// The blocks of a year at one second: a CDU with the mean of its racks, a hall's air. Internal to
// time_year.cpp, whose header has the equations.
#pragma once

#include <memory>
#include <vector>

#include "cooling/block_step.hpp"
#include "cooling/time_year.hpp"

namespace headroom::cooling {

/// What one block gave over an interval, J.
struct BlockFlow {
  double to_loop_j = 0;  ///< left through the branch of facility water
  double carried_j = 0;  ///< left with outside air or by direct expansion
  double stored_j = 0;   ///< change of what it holds
};

/// What all blocks of a loop hang on during an interval.
struct LoopDrive {
  double hold_c = 20;        ///< enters the branches
  double basin_off_k = 0;    ///< basin above its steady state at the start
  double basin_rate = 0;     ///< 1/s
  double follows_basin = 0;  ///< 1: what enters is that much warmer
};

/// Racks of one CDU (or door, tank): states basin, branch in, chips, coolant, supply, branch back.
class CduBlock {
 public:
  struct Shape {
    static constexpr std::size_t n = 6;
    static constexpr std::array<std::size_t, n> last{0, 1, 4, 4, 4, 5};
  };
  struct Pair {
    static constexpr std::size_t n = 2;
    static constexpr std::array<std::size_t, n> last{1, 1};
  };
  enum State : std::size_t { basin, in, chip, coolant, supply, back };

  /// Capacities, J/K; zero of `supply` where the coolant boils.
  struct Store {
    double chip = 1, coolant = 1, supply = 1, in = 1, back = 1;
  };
  /// Flows and conductances of an interval, W/K.
  struct Flow {
    double hot = 0, water = 0, cdu = 0, plates = 0;
    bool boils = false;
    bool operator==(const Flow&) const = default;
  };
  struct Heat {
    double chips_w = 0, coolant_w = 0;
    bool operator==(const Heat&) const = default;
  };

  void start(const Store& store, double water_c) {
    store_ = store;
    x_.fill(water_c);
    x_[basin] = 0;
  }
  void condition(const Flow& flow, const Heat& heat, const LoopDrive& drive, double dt);
  /// Steady temperatures under the present condition.
  Row<6> steady() const;
  BlockFlow advance(std::uint32_t steps);
  /// Nothing moves by more than 1e-9 K in an hour.
  bool still() const;
  const Row<6>& state() const { return x_; }
  const Flow& flow() const { return flow_; }
  /// A rack's difference from the mean: chips and coolant, for its more heat than the mean's
  /// (scaled to all racks, W): where it goes, and how it gets there.
  Row<2> difference(double more_w) const;
  void approach(double& chip_k, double& coolant_k, const Row<2>& aim, std::uint32_t steps) const;

 private:
  struct Known {
    Flow flow;
    double basin_rate = 0, follows = 0;
    Ladder<Shape> mean;
    Ladder<Pair> pair;
  };
  Square<6> matrix(const LoopDrive& drive) const;
  Square<2> pair_matrix() const;

  Store store_;
  Flow flow_;
  Heat heat_;
  LoopDrive drive_;
  Row<6> x_{}, u_{};
  std::vector<std::unique_ptr<Known>> known_;
  std::size_t next_ = 0;
  Known* now_ = nullptr;
};

/// A hall: basin, branch in, servers in air, hot air, cold air, steel beside each, branch back.
class HallBlock {
 public:
  struct Shape {
    static constexpr std::size_t n = 8;
    static constexpr std::array<std::size_t, n> last{0, 1, 6, 6, 6, 6, 6, 7};
  };
  enum State : std::size_t { basin, in, server, hot, cold, cold_mass, hot_mass, back };
  struct Store {
    double server = 1, air = 1, mass = 1, in = 1, back = 1;
    double mass_w_k = 0, server_w_k = 0;
  };
  struct Flow {
    double air = 0, carried = 0,
           carried_c = 20;  ///< share of the air replaced, at this temperature
    double coil = 0, water = 0;
    bool operator==(const Flow&) const = default;
  };
  struct Heat {
    double servers_w = 0, hot_w = 0;
    bool operator==(const Heat&) const = default;
  };

  void start(const Store& store, double air_c, double water_c);
  void condition(const Flow& flow, const Heat& heat, const LoopDrive& drive, double dt);
  BlockFlow advance(std::uint32_t steps);
  bool still() const;
  const Row<8>& state() const { return x_; }
  /// 1/s at which a server's difference from the mean dies out; its size for so much more heat.
  double server_rate() const { return store_.server_w_k / store_.server; }

 private:
  struct Known {
    Flow flow;
    double basin_rate = 0, follows = 0;
    Ladder<Shape> mean;
  };
  Square<8> matrix(const LoopDrive& drive) const;

  Store store_;
  Flow flow_;
  Heat heat_;
  LoopDrive drive_;
  Row<8> x_{}, u_{};
  std::vector<std::unique_ptr<Known>> known_;
  std::size_t next_ = 0;
  Known* now_ = nullptr;
};

}  // namespace headroom::cooling
