use eigensweep_spectral::lanes::InstructionSet; use eigensweep_spectral::projected::ProjectedBatch; use eigensweep_spectral::scaled::*; use eigensweep_spectral::leading::LeadingBatch; use faer::*; use std::time::Instant;
fn best(mut f: impl FnMut())->f64{ let mut b=f64::MAX; let t0=Instant::now(); while t0.elapsed().as_secs_f64()<0.25 { let t=Instant::now(); f(); b=b.min(t.elapsed().as_secs_f64()); } b*1e6 }
struct R(u64); impl R{fn u(&mut self)->f64{self.0=self.0.wrapping_add(0x9e3779b97f4a7c15);let mut z=self.0;z=(z^(z>>30)).wrapping_mul(0xbf58476d1ce4e5b9);z=(z^(z>>27)).wrapping_mul(0x94d049bb133111eb);((z^(z>>31))>>11) as f64/(1u64<<53) as f64}}
fn main(){ let only=std::env::args().nth(1); for isa in InstructionSet::available() { if isa.name()=="portable" {continue;} if let Some(o)=&only { if o!=isa.name() {continue;} } for d in [8usize,16,32,50,64,100,128,200,256] {
 let mut r=R(1); let l=10; let k=d/2;
 let mut p=ProjectedBatch::new(isa,d,l); let mut p0=ProjectedBatch::new(isa,d,0); let cap=p.capacity();
 let mats:Vec<Mat<f64>>=(0..cap).map(|_|{ let x=Mat::from_fn(2*d,d,|_,j| (2.0*r.u()-1.0)/((j+1) as f64).sqrt()); x.transpose()*&x*Scale(1.0/(2*d) as f64)}).collect();
 let b=Mat::from_fn(d,l,|_,_| r.u()); let b0=Mat::<f64>::zeros(d,0); let sig:Vec<f64>=(0..d).map(|_| 0.5+r.u()).collect();
 let je=best(||{p.start(d,l); for m in &mats{p.push(m.as_ref(),b.as_ref());} p.solve();})/cap as f64;
 let je0=best(||{p0.start(d,0); for m in &mats{p0.push(m.as_ref(),b0.as_ref());} p0.solve();})/cap as f64;
 let mut le=LeadingBatch::new(isa,d,k);
 let lead=best(||{le.start(d); for m in &mats{le.push(m.as_ref());} le.solve(k);})/cap as f64;
 let mut t=vec![]; for (ri,pr,pe) in [(true,false,false),(false,true,false),(false,false,true),(true,true,true)] { let mut s=ScaledBatch::new(isa,Room{size:d,width:l,count:k},1,Wanted{ridge:ri,projected:pr,pencil:pe,vectors:false}); t.push(best(||{s.start(d,l); for i in 0..cap{s.push(i,&sig);} s.solve(&[k],|n|(mats[n].as_ref(),b.as_ref()));})/cap as f64); }
 println!("{} d={d} cap={cap} projected {je:.2} values-only {je0:.2} leading {lead:.2} | scaled: SL {:.2} JE {:.2} RC {:.2} all {:.2}",isa.name(),t[0],t[1],t[2],t[3]);
}}}
