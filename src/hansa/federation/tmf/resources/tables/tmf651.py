"""Attributes that TMF651 Agreement alone has (see engine.attributes)."""

TABLE = """
Agreement: id href agreementType! description documentNumber:whole initialDate:time name!
  statementOfIntent status version agreementAuthorization:AgreementAuthorization*
  agreementItem:AgreementItem*! agreementPeriod:TimePeriod
  agreementSpecification:AgreementSpecificationRef associatedAgreement:AgreementRef*
  characteristic:Characteristic* completionDate:TimePeriod engagedParty:RelatedParty*!
AgreementAuthorization: date:time signatureRepresentation state
AgreementItem: product:ProductRef* productOffering:ProductOfferingRef*
  termOrCondition:AgreementTermOrCondition*
AgreementSpecCharacteristic: configurable:flag description name valueType
  specCharacteristicValue:AgreementSpecCharacteristicValue* validFor:TimePeriod
AgreementSpecCharacteristicValue: default:flag unitOfMeasure valueFrom valueTo valueType
  validFor:TimePeriod value:any
AgreementSpecification: id href description isBundle:flag lastUpdate:time lifecycleStatus name!
  version attachment:AttachmentRefOrValue*! relatedParty:RelatedParty* serviceCategory:CategoryRef
  specificationCharacteristic:AgreementSpecCharacteristic*
  specificationRelationship:AgreementSpecificationRelationship* validFor:TimePeriod
AgreementSpecificationRelationship: id href name relationshipType validFor:TimePeriod
  @referredType
AgreementTermOrCondition: id description validFor:TimePeriod
RelatedParty: id! href name! role @referredType!
"""
