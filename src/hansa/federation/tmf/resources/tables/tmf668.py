"""Attributes that TMF668 Partnership alone has (see engine.attributes)."""

TABLE = """
AccountRef: id! href description name @referredType
ContactMedium: mediumType preferred:flag characteristic:MediumCharacteristic validFor:TimePeriod
CreditProfile: creditProfileDate:time creditRiskRating:whole creditScore:whole validFor:TimePeriod
Partner: id href name! status statusReason account:AccountRef* agreement:AgreementRef*
  characteristic:Characteristic* contactMedium:ContactMedium* creditProfile:CreditProfile*
  engagedParty:RelatedParty! paymentMethod:PaymentMethodRef* relatedParty:RelatedParty*
  validFor:TimePeriod
Partnership: id href description name! partner:Partner* specification:PartnershipSpecificationRef!
PartnershipRoleSpecification: description name! requiresBilling:flag requiresSettlement:flag
  agreementSpecification:AgreementSpecificationRef*
PartnershipSpecification: id href description name!
  roleSpecification:PartnershipRoleSpecification*
PartnershipSpecificationRef: id! href name @referredType
RelatedParty: id! href name role @referredType!
"""
