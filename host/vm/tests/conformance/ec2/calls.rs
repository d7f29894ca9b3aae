//! What EC2 is asked for, seen with another client, and what its refusals become.

use anyhow::{Result, ensure};
use stead_vm::machine::State;
use stead_vm::provider::ec2::{Credentials, Ec2, Settings};
use stead_vm::provider::{Cause, Provider};
use stead_vm::request::{Market, Network, Size};

use super::Moto;
use crate::subject::{Subject, installation, name, request};

#[tokio::test]
async fn ec2_machines_are_what_was_asked_for() -> Result<()> {
    let moto = Moto::start()?;
    let ec2 = moto.ec2("ours")?;
    let mut request = request(&moto, &name("asked", 1))?;
    request.region = Some("eu-west-1".into());
    request.market = Market::Spot;
    let vm = ec2.create(&request).await?;
    assert_eq!((vm.region.as_deref(), vm.size.as_str()), (Some("eu-west-1"), "t3.micro"));
    let said = moto.boto(
        "for r in ec2.describe_instances()['Reservations']:
  for i in r['Instances']:
    a = lambda name: list(ec2.describe_instance_attribute(InstanceId=i['InstanceId'], Attribute=name).items())[1]
    print(sorted((t['Key'], t['Value']) for t in i['Tags']), i.get('InstanceLifecycle'))
    print(a('instanceInitiatedShutdownBehavior'), len(a('userData')[1]['Value']) > 1000)
for v in ec2.describe_volumes()['Volumes']: print(sorted(t['Key'] for t in v['Tags']))",
    )?;
    for part in ["('Name', 'stead-asked-1-1')", "('stead-attempt', '1')", "('stead-installation', 'ours')"] {
        ensure!(said.contains(part), "{part} is not in {said}");
    }
    ensure!(said.contains("('stead-job', 'asked')] spot"), "{said}");
    ensure!(said.contains("['Name', 'stead-attempt', 'stead-installation', 'stead-job']"), "{said}");
    ensure!(said.contains("{'Value': 'terminate'}) True"), "{said}");
    assert_eq!(ec2.list().await?.len(), 1);
    ec2.destroy(&request.name).await?;
    assert_eq!(moto.everything()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn ec2_volumes_without_a_machine_are_listed_and_taken_away() -> Result<()> {
    let moto = Moto::start()?;
    let ec2 = moto.ec2("ours")?;
    moto.boto(
        "tags = [{'Key': 'Name', 'Value': 'stead-left-1-1'}, {'Key': 'stead-installation', 'Value': 'ours'}]
if ec2.meta.region_name == 'eu-west-1':
  ec2.create_volume(Size=1, AvailabilityZone='eu-west-1a', TagSpecifications=[{'ResourceType': 'volume', 'Tags': tags}])",
    )?;
    let listed = ec2.list().await?;
    assert_eq!(listed.iter().map(|vm| (&vm.name, vm.state)).collect::<Vec<_>>(), [(&name("left", 1), State::Remains)]);
    ec2.destroy(&name("left", 1)).await?;
    assert_eq!((ec2.list().await?, moto.everything()?), (Vec::new(), Vec::new()));
    Ok(())
}

#[tokio::test]
async fn ec2_has_types_and_shows_no_secret() -> Result<()> {
    let moto = Moto::start()?;
    let ec2 = moto.ec2("ours")?;
    let offers = ec2.offers().await?;
    let micro = offers.iter().find(|offer| offer.size == "t3.micro").expect("a well-known type");
    assert_eq!((micro.cpus, micro.memory_mib), (2, 1024));
    let settings = moto.settings();
    ensure!(!format!("{settings:?} {ec2:?}").contains("a secret"));
    let nowhere = Settings { endpoint: Some("http://127.0.0.1:1".into()), ..settings };
    let nowhere = Ec2::new(installation("ours"), nowhere)?;
    assert_eq!(nowhere.list().await.expect_err("nobody listens there").cause, Cause::Unavailable);
    Ok(())
}

#[tokio::test]
async fn ec2_refuses_what_it_does_not_have() -> Result<()> {
    let moto = Moto::start()?;
    let ec2 = moto.ec2("ours")?;
    let mut request = request(&moto, &name("refused", 1))?;
    request.size = Size::Type("t9.enormous".into());
    let error = ec2.create(&request).await.expect_err("there is no such type");
    ensure!(matches!(error.cause, Cause::Invalid | Cause::NotFound), "{error:?}");
    request.size = Size::Measured { cpus: 1, memory_mib: 1, disk_gib: 1 };
    assert_eq!(ec2.create(&request).await.expect_err("it has types").cause, Cause::Invalid);
    request.size = moto.image().1;
    request.network = Network::Closed;
    assert_eq!(ec2.create(&request).await.expect_err("groups do that").cause, Cause::Invalid);
    request.network = Network::Open;
    request.region = Some("us-east-1".into());
    assert_eq!(ec2.create(&request).await.expect_err("it would not be listed").cause, Cause::Invalid);
    assert_eq!(moto.everything()?, Vec::<String>::new());
    Ok(())
}

/// moto can check signatures and rights as Amazon does.
#[tokio::test]
async fn ec2_calls_are_signed() -> Result<()> {
    let moto = Moto::start_with(&[("INITIAL_NO_AUTH_ACTION_COUNT", "3")])?;
    let key = moto.boto(
        "if ec2.meta.region_name == 'eu-west-1':
  iam = boto3.client('iam', region_name='us-east-1', endpoint_url=ec2.meta.endpoint_url, aws_access_key_id='x', aws_secret_access_key='x')
  iam.create_user(UserName='stead')
  allow = '{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"ec2:*\", \"Resource\": \"*\"}]}'
  iam.put_user_policy(UserName='stead', PolicyName='p', PolicyDocument=allow)
  key = iam.create_access_key(UserName='stead')['AccessKey']
  print(key['AccessKeyId'], key['SecretAccessKey'])",
    )?;
    let (id, secret) = key.trim().split_once(' ').expect("two words");
    let with = |secret: &str| {
        let credentials =
            Credentials { access_key_id: id.into(), secret_access_key: secret.into(), session_token: None };
        Ec2::new(installation("ours"), Settings { credentials, ..moto.settings() })
    };
    assert_eq!(with(secret)?.list().await?, []);
    assert_eq!(with("another")?.list().await.expect_err("a wrong key").cause, Cause::Unauthorized);
    Ok(())
}
