use eigensweep_spectral::lanes::{InstructionSet,measure::*};
fn main(){ let a:Vec<String>=std::env::args().collect(); let d:usize=a[2].parse().unwrap(); let which=a[3].parse::<usize>().unwrap(); let n:usize=a[4].parse().unwrap();
 for isa in InstructionSet::available() { if isa.name()!=a[1] {continue;} let k=Kernel::ALL[which]; let shape=Shape{size:d,width:10,count:d/2}; let mut s=Stage::new(k,isa,shape,4); for _ in 0..n { s.prepare(); s.run(); } } }
